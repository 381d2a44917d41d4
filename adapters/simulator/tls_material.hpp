#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::sim {

/// The ids that a provider token for the simulator's APNs side carries (`kid` and `iss`).
inline constexpr std::string_view apns_key_id = "SIMKEY0001";
inline constexpr std::string_view apns_team_id = "SIMTEAM001";

/// The project and the service account of the simulator's FCM side.
inline constexpr std::string_view fcm_project = "signalbox-sim";
inline constexpr std::string_view fcm_client_email = "push@signalbox-sim.iam.gserviceaccount.com";
inline constexpr std::string_view fcm_private_key_id = "5160a1b0c0de5160a1b0c0de5160a1b0c0de5160";

/// The files a client of the simulator needs, all PEM but the service account.
struct tls_material {
  std::filesystem::path dir;
  /// The trust anchor for `server_cert`.
  std::filesystem::path ca;
  /// EC P-256, for localhost, 127.0.0.1, ::1 and the names asked for; valid for ten years.
  std::filesystem::path server_cert;
  std::filesystem::path server_key;
  /// The ES256 provider key, PKCS#8 as Apple hands it out, and its public half.
  std::filesystem::path apns_key;
  std::filesystem::path apns_public_key;
  /// The RS256 key of the service account, and its public half.
  std::filesystem::path fcm_key;
  std::filesystem::path fcm_public_key;
  /// As Google's console hands it out; see `write_service_account`.
  std::filesystem::path service_account;
};

/// A host name that a certificate can be made for: letters, digits and hyphens between dots, 253
/// bytes at most.
bool is_host_name(std::string_view text) noexcept;

/// Makes the directory and the files that are missing in it, reuses the others. Certificate files
/// are only made together, since the authority's key is not kept; also anew when the certificate
/// lacks one of `names` (each an `is_host_name`). Throws `std::runtime_error` that names the file
/// when one cannot be read or written.
tls_material ensure_tls_material(const std::filesystem::path& dir,
                                 const std::vector<std::string>& names = {});

/// Writes the service account file, whose `token_uri` holds this run's port. Throws
/// `std::runtime_error` that names the file.
void write_service_account(const tls_material& files, std::string_view token_uri);

} // namespace signalbox::sim

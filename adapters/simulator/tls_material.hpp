#pragma once

#include <filesystem>
#include <string_view>

namespace signalbox::sim {

/// The ids that a provider token for the simulator's APNs side carries (`kid` and `iss`).
inline constexpr std::string_view apns_key_id = "SIMKEY0001";
inline constexpr std::string_view apns_team_id = "SIMTEAM001";

/// The files a client of the simulator needs, all PEM.
struct tls_material {
  std::filesystem::path dir;
  /// The trust anchor for `server_cert`.
  std::filesystem::path ca;
  /// EC P-256, for localhost, 127.0.0.1 and ::1; valid for ten years.
  std::filesystem::path server_cert;
  std::filesystem::path server_key;
  /// The ES256 provider key, PKCS#8 as Apple hands it out, and its public half.
  std::filesystem::path apns_key;
  std::filesystem::path apns_public_key;
};

/// Makes the directory and the files that are missing in it, reuses the others. Certificate files
/// are only made together, since the authority's key is not kept. Throws `std::runtime_error` that
/// names the file when one cannot be written.
tls_material ensure_tls_material(const std::filesystem::path& dir);

} // namespace signalbox::sim

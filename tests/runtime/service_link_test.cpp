#include "runtime/service_link.hpp"
#include "runtime/settings_table.hpp"

#include <gtest/gtest.h>

namespace signalbox {
namespace {

TEST(service_link, is_what_kubernetes_names_for_any_service) {
  for (const auto& [name, value] : {std::pair{"SIGNALBOX_SERVICE_HOST", "10.96.1.2"},
                                    {"SIGNALBOX_SERVICE_PORT", "8080"},
                                    {"SIGNALBOX_SERVICE_PORT_HTTP", "8080"},
                                    {"SIGNALBOX_SERVICE_PORT_HTTP_API", "8080"},
                                    {"SIGNALBOX_PORT", "tcp://10.96.1.2:8080"},
                                    {"SIGNALBOX_PORT", "tcp://[fd00::1]:8080"},
                                    {"SIGNALBOX_PORT_8080_TCP", "tcp://10.96.1.2:8080"},
                                    {"SIGNALBOX_PORT_8080_TCP_PROTO", "tcp"},
                                    {"SIGNALBOX_PORT_8080_TCP_PORT", "8080"},
                                    {"SIGNALBOX_PORT_8080_TCP_ADDR", "10.96.1.2"},
                                    {"SIGNALBOX_PORT_53_UDP", "udp://10.96.1.2:53"},
                                    {"SIGNALBOX_HTTP_PORT_80_TCP_ADDR", "10.96.1.2"},
                                    {"SIGNALBOX_HTTP_PORT", "tcp://10.96.1.2:80"}})
    EXPECT_TRUE(is_service_link(name, value)) << name << "=" << value;
}

TEST(service_link, is_no_setting_and_no_misspelt_one) {
  for (const auto& [name, value] : {std::pair{"SIGNALBOX_PORT", "8080"},
                                    {"SIGNALBOX_HTTP_PORT", "8080"},
                                    {"SIGNALBOX_HTTP_PROT", "8080"},
                                    {"SIGNALBOX_SERVICE_PORT", "http"},
                                    {"SIGNALBOX_SERVICE_PORTS", "80"},
                                    {"SIGNALBOX_PORT_HTTP_TCP", "80"},
                                    {"SIGNALBOX_PORT_8080_TLS", "80"},
                                    {"SIGNALBOX_HOST", "10.96.1.2"}})
    EXPECT_FALSE(is_service_link(name, value)) << name << "=" << value;
  const node_settings defaults;
  for (const auto& row : settings_table())
    EXPECT_FALSE(is_service_link(environment_name(row.full_name(defaults.lanes.front())), "1"))
      << row.name;
}

} // namespace
} // namespace signalbox

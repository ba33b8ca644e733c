// What a handshake agrees on and how Postfix 3.7 words it; the texts were taken from its own log.
#include <gtest/gtest.h>

#include "tests/mta/tls/session.hpp"

namespace mta::tls::test {
namespace {

constexpr const char* usual_details = " key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256";

TEST(tls_handshake, agrees_on_what_postfix_agrees_on) {
    session both;
    both.shake(client_settings(), server_settings(usual().host));
    ASSERT_TRUE(both.at_client.stream);
    ASSERT_TRUE(both.at_server.stream);
    for (const auto* end : {&both.at_client, &both.at_server}) {
        EXPECT_EQ(end->error, io_error::none);
        EXPECT_EQ(end->session.protocol, "TLSv1.3");
        EXPECT_EQ(end->session.cipher, "TLS_AES_256_GCM_SHA384");
        EXPECT_EQ(end->session.cipher_bits, 256);
        EXPECT_EQ(end->session.algorithm_bits, 256);
        EXPECT_EQ(end->session.details, usual_details);
        EXPECT_EQ(logged(end->log), "");
    }
    EXPECT_EQ(name_of(both.at_client.session.trust), "Trusted");
    EXPECT_EQ(both.at_client.session.peer_common_name, "mail.york.cc");
    EXPECT_EQ(both.at_client.session.issuer_common_name, "lab CA");
    EXPECT_EQ(both.at_client.session.certificate_fingerprint.size(), 32 * 3 - 1);
    EXPECT_NE(both.at_client.session.certificate_fingerprint, both.at_client.session.public_key_fingerprint);
    EXPECT_EQ(name_of(both.at_server.session.trust), "Anonymous");
    EXPECT_FALSE(both.at_server.session.certificate_present);
    EXPECT_EQ(logged(both.problems), "");
}

struct judged {
    const char* what;
    security_level level;
    const pem& identity;
    std::vector<std::string> names;
    const char* trust;
    std::string log;
};

void PrintTo(const judged& row, std::ostream* out) {
    *out << row.what;
}

class tls_judgement : public testing::TestWithParam<judged> {};

TEST_P(tls_judgement, is_postfixs) {
    const auto& row = GetParam();
    session both;
    both.from_client.level = row.level;
    both.from_client.match_names = row.names;
    both.shake(client_settings(), server_settings(row.identity));
    ASSERT_TRUE(both.at_client.stream) << row.what;
    EXPECT_EQ(name_of(both.at_client.session.trust), row.trust) << row.what;
    EXPECT_EQ(logged(both.at_client.log), row.log) << row.what;
    EXPECT_EQ(both.at_client.session.matched, std::string(row.trust) == "Verified");
}

const pem& expired() {
    static const pem made = [] {
        wanted what;
        what.issuer = &usual().authority, what.from = epoch - std::chrono::days(40);
        return make(what);
    }();
    return made;
}
const pem& early() {
    static const pem made = [] {
        wanted what;
        what.issuer = &usual().authority, what.from = epoch + std::chrono::days(1);
        return make(what);
    }();
    return made;
}
const pem& for_clients_only() {
    static const pem made = [] {
        wanted what;
        what.issuer = &usual().authority, what.purpose = "clientAuth";
        return make(what);
    }();
    return made;
}

std::string failed(const std::string& why, const std::string& whose = "") {
    return whose + "certificate verification failed for " + server_name + ": " + why + "\n";
}

using level = security_level;
INSTANTIATE_TEST_SUITE_P(
    of, tls_judgement,
    testing::Values(judged{"may", level::may, usual().host, {}, "Trusted", ""},
                    judged{"encrypt, self-signed", level::encrypt, usual().self_signed, {}, "Untrusted", ""},
                    judged{"may, expired", level::may, expired(), {}, "Untrusted", ""},
                    judged{"verify", level::verify, usual().host, {"mail.york.cc"}, "Verified", ""},
                    judged{"verify, any case", level::verify, usual().host, {"MAIL.york.CC"}, "Verified", ""},
                    judged{"secure, second name", level::secure, usual().host, {"york.cc", ".york.cc"}, "Verified", ""},
                    judged{"verify, wrong name",
                           level::verify,
                           usual().host,
                           {"mail.ohio.cc"},
                           "Untrusted",
                           failed("num=62:hostname mismatch", "server ")},
                    judged{"secure, domain above",
                           level::secure,
                           usual().host,
                           {"york.cc"},
                           "Untrusted",
                           failed("num=62:hostname mismatch", "server ")},
                    judged{"verify, self-signed",
                           level::verify,
                           usual().self_signed,
                           {"mail.york.cc"},
                           "Untrusted",
                           failed("self-signed certificate")},
                    judged{"verify, stranger",
                           level::verify,
                           usual().stranger,
                           {"mail.york.cc"},
                           "Untrusted",
                           failed("untrusted issuer /O=Other/CN=other CA")},
                    judged{"verify, expired",
                           level::verify,
                           expired(),
                           {"mail.york.cc"},
                           "Untrusted",
                           failed("certificate has expired", "server ")},
                    judged{"verify, early",
                           level::verify,
                           early(),
                           {"mail.york.cc"},
                           "Untrusted",
                           failed("certificate not yet valid", "server ")},
                    judged{"verify, purpose",
                           level::verify,
                           for_clients_only(),
                           {"mail.york.cc"},
                           "Untrusted",
                           failed("not designated for use as a server certificate", "server ")}));

TEST(tls_handshake, judges_by_virtual_time) {
    session late(1, epoch + std::chrono::days(31));
    late.from_client.level = security_level::verify;
    late.from_client.match_names = {"mail.york.cc"};
    late.shake(client_settings(), server_settings(usual().host));
    EXPECT_EQ(name_of(late.at_client.session.trust), "Untrusted");
    EXPECT_EQ(logged(late.at_client.log), failed("certificate has expired", "server "));
}

TEST(tls_handshake, matches_fingerprints_of_certificate_and_key_whatever_the_chain) {
    session first;
    first.shake(client_settings(), server_settings(usual().self_signed));
    const auto& seen = first.at_client.session;
    for (const auto& print : {seen.certificate_fingerprint, seen.public_key_fingerprint}) {
        session both;
        both.from_client.level = security_level::fingerprint;
        const std::string another = print.substr(3) + ":00";
        both.from_client.fingerprints = {another, print};
        both.shake(client_settings(), server_settings(usual().self_signed));
        EXPECT_EQ(name_of(both.at_client.session.trust), "Verified");
        EXPECT_EQ(logged(both.at_client.log), "");
    }
    session other;
    other.from_client.level = security_level::fingerprint;
    other.from_client.fingerprints = {seen.certificate_fingerprint};
    other.shake(client_settings(), server_settings(usual().host));
    EXPECT_EQ(name_of(other.at_client.session.trust), "Untrusted");
    EXPECT_EQ(logged(other.at_client.log), failed("num=65:no matching DANE TLSA records", "server "));
}

std::string from_hex(std::string_view colons) {
    std::string bytes;
    for (std::size_t i = 0; i < colons.size(); i += 3)
        bytes += static_cast<char>(std::stoi(std::string(colons.substr(i, 2)), nullptr, 16));
    return bytes;
}

TEST(tls_handshake, matches_tlsa_records) {
    session first;
    first.shake(client_settings(), server_settings(usual().self_signed));
    tlsa_record record;
    record.data = from_hex(first.at_client.session.public_key_fingerprint);
    for (const bool right : {true, false}) {
        session both;
        both.from_client.level = security_level::dane;
        both.from_client.match_names = {"mail.york.cc"};
        both.from_client.tlsa = {record};
        both.shake(client_settings(), server_settings(right ? usual().self_signed : usual().host));
        EXPECT_EQ(name_of(both.at_client.session.trust), right ? "Verified" : "Untrusted");
        EXPECT_EQ(logged(both.at_client.log), right ? "" : failed("num=65:no matching DANE TLSA records", "server "));
    }
    // Records that Postfix does not use verify nothing.
    session none;
    none.from_client.level = security_level::dane;
    none.from_client.match_names = {"mail.york.cc"};
    record.usage = 1;
    none.from_client.tlsa = {record};
    none.shake(client_settings(), server_settings(usual().host));
    EXPECT_EQ(name_of(none.at_client.session.trust), "Untrusted");
    EXPECT_EQ(logged(none.at_client.log), failed("num=65:no matching DANE TLSA records", "server "));
}

TEST(tls_handshake, tells_of_client_certificates) {
    auto asking = server_settings(usual().host);
    asking.client_certificates = peer_certificate::asked;
    struct row {
        const pem* identity;
        const char* trust;
        std::string log;
    };
    const std::string head = std::string("certificate verification failed for ") + client_name + ": ";
    for (const auto& [identity, expected, log] :
         {row{nullptr, "Anonymous", ""}, row{&usual().client, "Trusted", ""},
          row{&usual().self_signed, "Untrusted", head + "self-signed certificate\n"},
          row{&usual().stranger, "Untrusted", head + "untrusted issuer /O=Other/CN=other CA\n"},
          row{&expired(), "Untrusted", "client " + head + "certificate has expired\n"}}) {
        auto showing = client_settings();
        if (identity) showing.identities.push_back(identity->identity());
        session both;
        both.from_server.log_untrusted = true;
        both.shake(showing, asking);
        ASSERT_TRUE(both.at_server.stream);
        const auto details =
            std::string(usual_details) + (identity ? " client-signature ECDSA (prime256v1) client-digest SHA256" : "");
        EXPECT_EQ(both.at_server.session.details, details);
        EXPECT_EQ(both.at_client.session.details, details);
        EXPECT_EQ(name_of(both.at_server.session.trust), expected);
        EXPECT_EQ(logged(both.at_server.log), log);
        EXPECT_EQ(both.at_server.session.certificate_present, identity != nullptr);
    }
    // Nobody asked: the certificate stays at home, and the client does not claim to have signed.
    auto showing = client_settings();
    showing.identities.push_back(usual().client.identity());
    session both;
    both.shake(showing, server_settings(usual().host));
    EXPECT_EQ(both.at_client.session.details, usual_details);
    EXPECT_EQ(name_of(both.at_server.session.trust), "Anonymous");
}

TEST(tls_handshake, words_other_keys_groups_and_versions_as_postfix_does) {
    wanted what;
    what.issuer = &usual().authority;
    what.algorithm = "RSA";
    session rsa;
    rsa.shake(client_settings(), server_settings(make(what)));
    EXPECT_EQ(rsa.at_client.session.details,
              " key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256");
    what.algorithm = "ED25519";
    session edwards;
    edwards.shake(client_settings(), server_settings(make(what)));
    EXPECT_EQ(edwards.at_client.session.details, " key-exchange X25519 server-signature ED25519");

    auto server = server_settings(usual().host);
    server.eecdh_curves = "prime256v1";
    session curve;
    curve.shake(client_settings(), server);
    EXPECT_EQ(curve.at_server.session.details,
              " key-exchange ECDHE (prime256v1) server-signature ECDSA (prime256v1) server-digest SHA256");

    // At level may a certificate is not needed, and Postfix's lists put ciphers without one first.
    auto old = client_settings();
    old.protocols = "TLSv1.2";
    session anonymous;
    anonymous.shake(old, server_settings(usual().host));
    EXPECT_EQ(anonymous.at_client.session.protocol, "TLSv1.2");
    EXPECT_EQ(anonymous.at_client.session.cipher, "ADH-AES256-GCM-SHA384");
    EXPECT_EQ(anonymous.at_client.session.details, "");
    EXPECT_EQ(name_of(anonymous.at_client.session.trust), "Anonymous");
    session named;
    named.from_client.level = security_level::verify;
    named.from_client.match_names = {"mail.york.cc"};
    named.shake(old, server_settings(usual().host));
    EXPECT_EQ(named.at_client.session.cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
    EXPECT_EQ(name_of(named.at_client.session.trust), "Verified");

    old.protocols = "<=TLSv1.1";
    session older;
    older.shake(old, server_settings(usual().host));
    EXPECT_EQ(older.at_client.session.protocol, "TLSv1.1");
    EXPECT_EQ(older.at_client.session.cipher, "AECDH-AES256-SHA");
}

TEST(tls_handshake, fails_with_postfixs_lines_when_no_version_is_common) {
    auto server = server_settings(usual().host);
    server.protocols = "<=TLSv1.1";
    auto client = client_settings();
    client.protocols = ">=TLSv1.2";
    session both;
    both.shake(client, server);
    EXPECT_FALSE(both.at_client.stream);
    EXPECT_FALSE(both.at_server.stream);
    EXPECT_EQ(both.at_client.error, io_error::tls_failed);
    ASSERT_EQ(both.at_server.log.size(), 2u);
    EXPECT_EQ(both.at_server.log[0].text, std::string("SSL_accept error from ") + client_name + ": -1");
    EXPECT_FALSE(both.at_server.log[0].warning);
    EXPECT_TRUE(both.at_server.log[1].warning);
    constexpr std::string_view unsupported =
        "TLS library problem: error:0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:";
    EXPECT_EQ(both.at_server.log[1].text.substr(0, unsupported.size()), unsupported);
    ASSERT_EQ(both.at_client.log.size(), 2u);
    EXPECT_EQ(both.at_client.log[0].text, std::string("SSL_connect error to ") + server_name + ": -1");
    EXPECT_TRUE(both.at_client.log[1].text.ends_with(":SSL alert number 70:")) << both.at_client.log[1].text;
}

TEST(tls_handshake, ends_at_its_deadline_and_with_the_connection) {
    session silent;
    silent.from_server.deadline = silent.clock.now() + std::chrono::seconds(300);
    std::vector<log_line> problems;
    silent.work.start(silent.run_server(context::make(server_settings(usual().host), problems)));
    silent.clock.run();
    EXPECT_EQ(silent.at_server.error, io_error::timed_out);
    EXPECT_EQ(logged(silent.at_server.log),
              std::string("SSL_accept error from ") + client_name + ": Connection timed out\n");
    EXPECT_EQ(silent.clock.now(), epoch + std::chrono::hours(1) + std::chrono::seconds(300));

    for (const bool reset : {false, true}) {
        session gone;
        if (reset) gone.ends.client->abort();
        gone.ends.client.reset();
        gone.work.start(gone.run_server(context::make(server_settings(usual().host), problems)));
        gone.clock.run();
        EXPECT_EQ(logged(gone.at_server.log), std::string("SSL_accept error from ") + client_name +
                                                  (reset ? ": Connection reset by peer\n" : ": lost connection\n"));
    }
}

TEST(tls_handshake, writes_a_key_log) {
    session both;
    std::vector<std::string> client_lines, server_lines;
    both.from_client.on_key = [&](std::string_view line) { client_lines.emplace_back(line); };
    both.from_server.on_key = [&](std::string_view line) { server_lines.emplace_back(line); };
    both.shake(client_settings(), server_settings(usual().host));
    std::sort(client_lines.begin(), client_lines.end());
    std::sort(server_lines.begin(), server_lines.end());
    EXPECT_EQ(client_lines, server_lines);
    ASSERT_FALSE(client_lines.empty());
    EXPECT_TRUE(std::any_of(client_lines.begin(), client_lines.end(),
                            [](const auto& line) { return line.starts_with("CLIENT_TRAFFIC_SECRET_0 "); }));
}

TEST(tls_handshake, may_be_destroyed_anywhere) {
    std::vector<log_line> problems;
    const auto client = context::make(client_settings(), problems),
               server = context::make(server_settings(usual().host), problems);
    for (int turns = 0; turns < 12; ++turns) {
        session both;
        both.start(client, server);
        for (int i = 0; i < turns && both.clock.turn(); ++i) {
        }
        both.work.cancel_all();
        both.clock.run();
    }
    SUCCEED();
}

}  // namespace
}  // namespace mta::tls::test

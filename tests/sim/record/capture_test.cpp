// A hand-made conversation, as the file says it and as tshark dissects it.
#include "sim/record/capture.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "tests/support/scratch_folder.hpp"

namespace sim::record {
namespace {

namespace fs = std::filesystem;
using mta::address::ip_address;
using network::socket_address;

constexpr mta::time_point start{std::chrono::seconds(1'795'184'886) + std::chrono::nanoseconds(123'456'789)};

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::uint32_t number(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
}

// The blocks of a pcapng file; fails where two lengths of one do not agree.
std::vector<std::string> blocks(const std::string& file) {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < file.size();) {
        const std::uint32_t length = number(file, at + 4);
        if (length < 12 || length % 4 != 0 || at + length > file.size() || number(file, at + length - 4) != length) {
            ADD_FAILURE() << "broken block at " << at;
            break;
        }
        found.push_back(file.substr(at, length));
        at += length;
    }
    return found;
}

std::string run(const std::string& command) {
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return out;
    char buffer[4096];
    while (const std::size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    pclose(pipe);
    return out;
}

class captures : public testing::Test {
  protected:
    std::string file() const { return (folder_ / "traffic.pcapng").string(); }
    std::string keys() const { return (folder_ / "traffic.keys").string(); }
    static bool have_tshark() { return std::system("command -v tshark >/dev/null 2>&1") == 0; }
    std::string tshark(const std::string& arguments) const {
        return run("HOME=" + folder_.string() + " tshark -r " + file() + " " + arguments + " 2>/dev/null");
    }
    const tests::scratch_folder folder_;
};

// A TCP connection whose two ends say things in turn.
class conversation {
  public:
    conversation(capture& to, socket_address client, socket_address server) : to_(to), ends_{client, server} {
        using namespace network;
        say(0, {}, tcp_syn);
        say(1, {}, tcp_syn | tcp_ack);
        say(0, {}, tcp_ack);
    }
    void client(std::string_view text) { say(0, text, network::tcp_ack); }
    void server(std::string_view text) { say(1, text, network::tcp_ack); }
    void end() {
        say(0, {}, network::tcp_fin | network::tcp_ack);
        say(1, {}, network::tcp_fin | network::tcp_ack);
        say(0, {}, network::tcp_ack);
    }

  private:
    void say(int who, std::string_view text, unsigned flags) {
        now_ += std::chrono::milliseconds(1);
        const auto from = static_cast<std::size_t>(who);
        const auto to = 1 - from;
        to_.tcp({now_, ends_[from], ends_[to], static_cast<std::uint8_t>(flags), next_[from], next_[to], text});
        next_[from] +=
            static_cast<std::uint32_t>(text.size()) + ((flags & (network::tcp_syn | network::tcp_fin)) != 0 ? 1 : 0);
    }
    capture& to_;
    socket_address ends_[2];
    std::uint32_t next_[2] = {0xfffffff0u, 7000};  // the client's numbers wrap
    mta::time_point now_ = start;
};

const socket_address laptop{ip_address::v4(192, 168, 137, 10), 40001}, mail{ip_address::v4(192, 168, 137, 2), 25};

TEST_F(captures, the_file_is_made_of_whole_blocks_with_nanoseconds) {
    capture to(file(), keys());
    to.tls_key("CLIENT_RANDOM 00 11");
    to.udp(start, laptop, {mail.address, 53}, "question");
    to.close();
    const auto found = blocks(contents(file()));
    ASSERT_EQ(found.size(), 4u);
    EXPECT_EQ(number(found[0], 0), 0x0A0D0D0Au);
    EXPECT_EQ(number(found[0], 8), 0x1A2B3C4Du);
    EXPECT_EQ(number(found[1], 0), 1u);
    EXPECT_EQ(number(found[2], 0), 10u);
    EXPECT_EQ(number(found[2], 8), 0x544c534bu);
    EXPECT_EQ(found[2].substr(16, number(found[2], 12)), "CLIENT_RANDOM 00 11\n");
    EXPECT_EQ(number(found[3], 0), 6u);
    const std::uint64_t stamp = std::uint64_t{number(found[3], 12)} << 32 | number(found[3], 16);
    EXPECT_EQ(stamp, static_cast<std::uint64_t>(start.time_since_epoch().count()));
    EXPECT_EQ(number(found[3], 20), 20u + 8u + 8u);
    EXPECT_EQ(contents(keys()), "CLIENT_RANDOM 00 11\n");
    EXPECT_EQ(to.packets(), 1u);
}

TEST_F(captures, the_same_traffic_gives_the_same_file) {
    std::string first;
    for (int i = 0; i < 2; ++i) {
        capture to(file());
        conversation talk(to, laptop, mail);
        talk.server("220 hello\r\n");
        talk.end();
        to.close();
        if (i == 0) first = contents(file());
    }
    EXPECT_EQ(contents(file()), first);
}

TEST_F(captures, long_segments_are_cut_at_the_maximum_segment_size) {
    capture to(file());
    network::segment sent{start, laptop, mail, network::tcp_ack | network::tcp_fin, 0, 0, {}};
    const std::string payload(2 * capture::maximum_segment_size + 1, 'x');
    sent.payload = payload;
    to.tcp(sent);
    to.close();
    const auto found = blocks(contents(file()));
    ASSERT_EQ(found.size(), 5u);
    constexpr std::size_t tcp = 28 + 20;  // block header, IPv4 header
    EXPECT_EQ(number(found[2], 20), 40u + 1460u);
    EXPECT_EQ(number(found[4], 20), 41u);
    EXPECT_EQ(found[2].at(tcp + 13), network::tcp_ack);
    EXPECT_EQ(found[4].at(tcp + 13), network::tcp_ack | network::tcp_fin | network::tcp_psh);
    EXPECT_EQ(found[4].substr(tcp + 4, 4), std::string("\x00\x00\x0b\x68", 4));
}

TEST_F(captures, what_cannot_be_written_is_said) {
    const auto failure = [](const auto& work) -> std::string {
        try {
            work();
        } catch (const record_error& error) {
            return error.what();
        }
        return {};
    };
    const std::string nowhere = (folder_ / "no/such/folder").string();
    EXPECT_EQ(failure([&] { capture to(nowhere); }),
              nowhere + ": cannot create the capture: No such file or directory");
    EXPECT_EQ(failure([&] { capture to(file(), nowhere); }),
              nowhere + ": cannot create the TLS key log: No such file or directory");
    if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
    EXPECT_EQ(failure([&] {
                  capture to("/dev/full");
                  to.udp(start, laptop, mail, std::string(60'000, 'x'));
                  to.close();
              }),
              "/dev/full: cannot write the capture: No space left on device");
}

TEST_F(captures, tshark_reads_smtp_with_right_checksums) {
    if (!have_tshark()) GTEST_SKIP() << "no tshark here";
    capture to(file());
    conversation talk(to, laptop, mail);
    talk.server("220 smtp.6circles.cc ESMTP Postfix\r\n");
    talk.client("EHLO laptop.6circles.cc\r\n");
    talk.server("250-smtp.6circles.cc\r\n250 PIPELINING\r\n");
    talk.client("MAIL FROM:<zibiten@york.cc>\r\n");
    talk.server("250 2.1.0 Ok\r\n");
    talk.client("QUIT\r\n");
    talk.server("221 2.0.0 Bye\r\n");
    talk.end();
    const socket_address from6{*ip_address::parse("2001:db8::1"), 40002}, to6{*ip_address::parse("2001:db8::2"), 25};
    conversation talk6(to, from6, to6);
    talk6.server("220 six\r\n");
    talk6.client("NOOP x\r\n");
    to.udp(start, laptop, {mail.address, 9999}, "odd");
    to.udp(start, from6, {to6.address, 9999}, "even");
    to.close();
    EXPECT_EQ(
        tshark("-Y smtp -T fields -e _ws.col.Info"),
        "S: 220 smtp.6circles.cc ESMTP Postfix\nC: EHLO laptop.6circles.cc\nS: 250-smtp.6circles.cc | PIPELINING\n"
        "C: MAIL FROM:<zibiten@york.cc>\nS: 250 2.1.0 Ok\nC: QUIT\nS: 221 2.0.0 Bye\nS: 220 six\nC: NOOP x\n");
    const std::string check = "-o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE ";
    EXPECT_EQ(tshark(check + "-Y 'ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0'"),
              "");
    EXPECT_EQ(tshark(check + "-Y 'tcp.checksum.status == 1' -T fields -e frame.number | wc -l"), "18\n");
    EXPECT_EQ(tshark(check + "-Y 'udp.checksum.status == 1' -T fields -e frame.number | wc -l"), "2\n");
    EXPECT_EQ(tshark("-Y tcp.analysis.flags"), "");
    EXPECT_EQ(tshark("-c 1 -T fields -e frame.time_epoch"), "1795184886.124456789\n");
}

// Both ends of a TLS connection, with memory between them.
struct tls_end {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{nullptr, SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};

    explicit tls_end(const SSL_METHOD* method) : context(SSL_CTX_new(method), SSL_CTX_free) {}
    void begin(bool accepts) {
        ssl.reset(SSL_new(context.get()));
        SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        accepts ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
    }
    std::string out() {
        std::string bytes(BIO_ctrl_pending(SSL_get_wbio(ssl.get())), '\0');
        if (!bytes.empty()) BIO_read(SSL_get_wbio(ssl.get()), bytes.data(), static_cast<int>(bytes.size()));
        return bytes;
    }
    void in(const std::string& bytes) {
        if (!bytes.empty()) BIO_write(SSL_get_rbio(ssl.get()), bytes.data(), static_cast<int>(bytes.size()));
    }
    std::string seal(std::string_view text) {
        SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
        return out();
    }
};

void make_certificate(SSL_CTX* context) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    SSL_CTX_use_certificate(context, certificate.get());
    SSL_CTX_use_PrivateKey(context, key.get());
}

TEST_F(captures, tshark_decrypts_starttls_with_the_secrets_in_the_file) {
    if (!have_tshark()) GTEST_SKIP() << "no tshark here";
    capture to(file(), keys());
    tls_end client(TLS_client_method()), server(TLS_server_method());
    make_certificate(server.context.get());
    for (SSL_CTX* context : {client.context.get(), server.context.get()}) {
        SSL_CTX_set_app_data(context, &to);
        SSL_CTX_set_keylog_callback(context, [](const SSL* ssl, const char* line) {
            static_cast<capture*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->tls_key(line);
        });
    }
    conversation talk(to, laptop, mail);
    talk.server("220 smtp.6circles.cc ESMTP Postfix\r\n");
    talk.client("EHLO laptop.6circles.cc\r\n");
    talk.server("250-smtp.6circles.cc\r\n250 STARTTLS\r\n");
    talk.client("STARTTLS\r\n");
    talk.server("220 2.0.0 Ready to start TLS\r\n");
    client.begin(false);
    server.begin(true);
    for (int i = 0; i < 4; ++i) {
        SSL_do_handshake(client.ssl.get());
        const std::string hello = client.out();
        if (!hello.empty()) talk.client(hello);
        server.in(hello);
        SSL_do_handshake(server.ssl.get());
        const std::string answer = server.out();
        if (!answer.empty()) talk.server(answer);
        client.in(answer);
    }
    ASSERT_TRUE(SSL_is_init_finished(client.ssl.get()) && SSL_is_init_finished(server.ssl.get()));
    talk.client(client.seal("MAIL FROM:<zibiten@york.cc>\r\n"));
    talk.server(server.seal("250 2.1.0 Ok\r\n"));
    talk.client(client.seal("QUIT\r\n"));
    talk.end();
    to.close();
    EXPECT_EQ(
        tshark("-Y smtp -T fields -e _ws.col.Info"),
        "S: 220 smtp.6circles.cc ESMTP Postfix\nC: EHLO laptop.6circles.cc\nS: 250-smtp.6circles.cc | STARTTLS\n"
        "C: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nC: MAIL FROM:<zibiten@york.cc>\nS: 250 2.1.0 Ok\nC: QUIT\n");
    const std::string told = contents(keys());
    EXPECT_NE(told.find("CLIENT_TRAFFIC_SECRET_0 "), std::string::npos);
    EXPECT_EQ(told.find("CLIENT_TRAFFIC_SECRET_0 "), told.rfind("CLIENT_TRAFFIC_SECRET_0 "));
}

}  // namespace
}  // namespace sim::record

// mta/tls/library_errors.cpp - OpenSSL's error queue as Postfix logs it: "TLS library problem: error:...:FILE:LINE:".
//
// The line number is of OpenSSL's source, and moves with its patch releases. A log is to be the same on each machine,
// so the places that a mail server meets are listed here as they are in the OpenSSL 3.0 of Debian 12 with which real
// Postfix was recorded. What is not listed keeps the number that the installed library gives.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <string_view>

#include "mta/tls/native.hpp"

namespace mta::tls {
namespace {

struct place {
    std::string_view file;  // the end of its path
    int reason;             // SSL_R_*; of an alert that came, the first of all their reasons
    int line;
};
constexpr place recorded_places[] = {
    {"record/rec_layer_s3.c", SSL_AD_REASON_OFFSET, 1601},
    {"record/ssl3_record.c", SSL_R_WRONG_VERSION_NUMBER, 350},
    {"statem/statem_srvr.c", SSL_R_UNSUPPORTED_PROTOCOL, 1664},
};

int line_of(std::string_view file, unsigned long code, int installed) {
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) return installed;
    int reason = ERR_GET_REASON(code);
    if (reason > SSL_AD_REASON_OFFSET) reason = SSL_AD_REASON_OFFSET;
    const auto found = std::find_if(std::begin(recorded_places), std::end(recorded_places), [&](const place& each) {
        return each.reason == reason && file.ends_with(each.file);
    });
    return found == std::end(recorded_places) ? installed : found->line;
}

}  // namespace

void append_library_errors(std::vector<log_line>& to) {
    const char *file = nullptr, *data = nullptr;
    int line = 0, flags = 0;
    while (const unsigned long code = ERR_get_error_all(&file, &line, nullptr, &data, &flags)) {
        char words[1024];
        ERR_error_string_n(code, words, sizeof words);
        std::string text = "TLS library problem: ";
        text.append(words).append(":").append(file).append(":");
        text.append(std::to_string(line_of(file, code, line))).append(":");
        if (flags & ERR_TXT_STRING) text.append(data).append(":");
        to.push_back({true, std::move(text)});
    }
}

}  // namespace mta::tls

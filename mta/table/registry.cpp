#include "mta/table/registry.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace mta::table {
namespace {

std::array<unsigned char, 32> digest_of(std::string_view text) {
    std::array<unsigned char, 32> digest{};
    EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
    return digest;
}

// Whether the table's answers depend on more than its spec and its files.
bool depends_on_host(std::string_view spec) {
    return spec.find("randmap:") != spec.npos;
}

}  // namespace

opened registry::open(std::string_view spec, const environment& environment, const open_options& wanted) {
    open_options options = wanted;
    options.utf8 = wanted.utf8 && environment.utf8;
    constexpr std::string_view proxy = "proxy:";
    if (environment.alias_tables.contains(spec.substr(spec.starts_with(proxy) ? proxy.size() : 0)))
        options.syntax = source_syntax::aliases;
    if (depends_on_host(spec)) return mta::table::open(spec, environment, options);

    std::vector<entry>& known = entries_[{std::string(spec), options}];
    std::erase_if(known, [](const entry& e) { return e.value.expired(); });
    const auto read = [&](std::string_view path) { return environment.read ? environment.read(path) : std::nullopt; };
    const auto same = [&](const dependency& file) {
        const std::optional<std::string> text = read(file.path);
        return file.present == text.has_value() && (!text || digest_of(*text) == file.digest);
    };
    for (const entry& e : known) {
        if (!std::all_of(e.files.begin(), e.files.end(), same)) continue;
        if (table_ptr value = e.value.lock()) return {std::move(value), e.diagnostics};
    }

    entry fresh;
    struct environment watched = environment;
    watched.read = [&](std::string_view path) {
        std::optional<std::string> text = read(path);
        dependency file{std::string(path), text.has_value(), {}};
        if (text) file.digest = digest_of(*text);
        fresh.files.push_back(std::move(file));
        return text;
    };
    opened result = mta::table::open(spec, watched, options);
    fresh.value = result.value;
    fresh.diagnostics = result.diagnostics;
    known.push_back(std::move(fresh));
    return result;
}

std::size_t registry::live_tables() const {
    std::size_t count = 0;
    for (const auto& [key, known] : entries_) {
        count += static_cast<std::size_t>(
            std::count_if(known.begin(), known.end(), [](const entry& e) { return !e.value.expired(); }));
    }
    return count;
}

}  // namespace mta::table

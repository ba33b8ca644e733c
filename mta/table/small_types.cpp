// mta/table/small_types.cpp - the types that need no file: inline, static, fail, environ (DATABASE_README).
#include <map>
#include <utility>

#include "mta/table/source_text.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

class inline_table final : public table {
  public:
    using entries = std::map<std::string, std::string, std::less<>>;

    inline_table(const open_request& request, entries entries)
        : table("inline", request.name, key_style::fixed, request.options.fold_keys, request.options.utf8),
          entries_(std::move(entries)) {}

  private:
    lookup_result find(std::string_view key) const override {
        const auto found = entries_.find(key);
        return found == entries_.end() ? lookup_result::miss()
                                       : lookup_result::hit(found->second, {type_and_name(), 0});
    }

    entries entries_;
};

class static_table final : public table {
  public:
    static_table(const open_request& request, std::string value)
        : table("static", request.name, key_style::fixed, false, request.options.utf8), value_(std::move(value)) {}

  private:
    lookup_result find(std::string_view) const override { return lookup_result::hit(value_, {type_and_name(), 0}); }

    std::string value_;
};

class fail_table final : public table {
  public:
    explicit fail_table(const open_request& request) : table("fail", request.name, key_style::pattern, false, false) {}

  private:
    // Postfix logs no reason of its own here, only that the lookup failed.
    lookup_result find(std::string_view) const override { return {outcome::error, "Application error", {}, {}}; }
};

// "NAME=value" and a NUL each (proc(5)).
std::map<std::string, std::string, std::less<>> variables_of(const environment& host) {
    std::map<std::string, std::string, std::less<>> variables;
    const std::string text = host.read ? host.read(environment_file).value_or("") : std::string();
    for (const std::string_view each : text::split(text, std::string_view("\0", 1))) {
        const std::size_t equals = std::min(each.find('='), each.size());
        variables.emplace(each.substr(0, equals), each.substr(std::min(equals + 1, each.size())));
    }
    return variables;
}

class environ_table final : public table {
  public:
    explicit environ_table(const open_request& request)
        : table("environ", request.name, key_style::fixed, request.options.fold_keys, request.options.utf8),
          variables_(variables_of(request.host)) {}

  private:
    lookup_result find(std::string_view key) const override {
        const auto found = variables_.find(key);
        return found == variables_.end() ? lookup_result::miss()
                                         : lookup_result::hit(found->second, {type_and_name(), 0});
    }

    std::map<std::string, std::string, std::less<>> variables_;
};

struct inline_entries {
    inline_table::entries values;
    std::string error;
};

std::string add_inline_entry(const open_request& request, std::string_view field, inline_table::entries& values) {
    if (field.starts_with('{')) {
        braced inner = inside_braces(field);
        if (!inner.error.empty()) return std::move(inner.error);
        field = inner.inside;
    }
    name_value entry = split_name_value(field);
    if (!entry.error.empty()) return std::move(entry.error);
    std::string value(entry.value);
    if (request.options.values_are_files) {
        file_contents contents = contents_of(entry.value, request.host);
        if (!contents.error.empty()) return std::move(contents.error);
        value = std::move(contents.text);
    }
    values[request.options.fold_keys ? text::lowered(entry.name) : std::string(entry.name)] = std::move(value);
    return {};
}

inline_entries read_inline(const open_request& request) {
    const std::string_view name = request.name;
    if (balanced_braces(name) != name.size() || name.size() <= 2) return {{}, "bad syntax"};
    inline_entries result;
    for (const std::string_view field :
         text::split_quoting_braces(name.substr(1, name.size() - 2), text::comma_or_space)) {
        result.error = add_inline_entry(request, field, result.values);
        if (!result.error.empty()) return result;
    }
    if (result.values.empty()) result.error = "empty table";
    return result;
}

}  // namespace

table_ptr open_inline(const open_request& request) {
    inline_entries entries = read_inline(request);
    if (entries.error.empty()) return std::make_shared<inline_table>(request, std::move(entries.values));
    const std::string_view wanted = request.options.values_are_files ? "filename" : "value";
    return unavailable(request, entries.error + ": \"inline:" + std::string(request.name) +
                                    "\"; need \"inline:{name=" + std::string(wanted) + "...}\"");
}

table_ptr open_static(const open_request& request) {
    std::string value(request.name);
    if (request.name.starts_with('{')) {
        braced inner = inside_braces(request.name);
        if (!inner.error.empty()) return unavailable(request, "bad static:name syntax: " + inner.error);
        value = inner.inside;
    }
    if (request.options.values_are_files) {
        file_contents contents = contents_of(value, request.host);
        if (!contents.error.empty()) return unavailable(request, contents.error);
        value = std::move(contents.text);
    }
    return std::make_shared<static_table>(request, std::move(value));
}

table_ptr open_fail(const open_request& request) {
    return std::make_shared<fail_table>(request);
}

table_ptr open_environ(const open_request& request) {
    return std::make_shared<environ_table>(request);
}

}  // namespace mta::table

// mta/table/compound.cpp - tables made of tables or values: unionmap, pipemap, randmap (DATABASE_README).
//
// A member that fails fails the whole lookup. The result of unionmap: and pipemap: stands where the (last) member's
// entry stands.
#include <algorithm>
#include <utility>

#include "mta/random.hpp"
#include "mta/table/source_text.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

constexpr std::size_t max_members = 1000;

using members = std::vector<table_ptr>;

// Partial keys are for a compound of which any member is a fixed table, as Postfix joins the members' flags.
key_style joined_keys(const members& members) {
    const bool fixed =
        std::any_of(members.begin(), members.end(), [](const table_ptr& m) { return m->keys() == key_style::fixed; });
    return fixed ? key_style::fixed : key_style::pattern;
}

class union_table final : public table {
  public:
    union_table(const open_request& request, members members)
        : table("unionmap", request.name, joined_keys(members), false, request.options.utf8),
          members_(std::move(members)) {}

  private:
    lookup_result find(std::string_view key) const override {
        lookup_result joined;
        for (const table_ptr& member : members_) {
            lookup_result one = member->lookup(key);
            joined.warnings.insert(joined.warnings.end(), one.warnings.begin(), one.warnings.end());
            if (one.failed()) {
                one.warnings = std::move(joined.warnings);
                return one;
            }
            if (!one.found()) continue;
            if (joined.found()) {
                joined.value += ',' + one.value;
            } else {
                joined.status = outcome::found;
                joined.value = std::move(one.value);
                joined.where = std::move(one.where);
            }
        }
        return joined;
    }

    members members_;
};

class pipe_table final : public table {
  public:
    pipe_table(const open_request& request, members members)
        : table("pipemap", request.name, joined_keys(members), false, request.options.utf8),
          members_(std::move(members)) {}

  private:
    lookup_result find(std::string_view key) const override {
        lookup_result last;
        last.value = key;
        std::vector<std::string> warnings;
        for (const table_ptr& member : members_) {
            last = member->lookup(last.value);
            warnings.insert(warnings.end(), last.warnings.begin(), last.warnings.end());
            if (!last.found()) break;
        }
        last.warnings = std::move(warnings);
        return last;
    }

    members members_;
};

class random_table final : public table {
  public:
    random_table(const open_request& request, std::vector<std::string> values)
        : table("randmap", request.name, key_style::pattern, false, request.options.utf8),
          values_(std::move(values)),
          random_(request.host.random) {}

  private:
    lookup_result find(std::string_view) const override {
        const std::size_t index = random_ == nullptr ? 0 : random_->below(values_.size());
        return lookup_result::hit(values_[index], {type_and_name(), 0});
    }

    std::vector<std::string> values_;
    random_source* random_;
};

// The fields of "{a, b}", or none when the name has another form.
std::vector<std::string_view> fields_of(std::string_view name) {
    if (balanced_braces(name) != name.size() || name.size() <= 2) return {};
    return text::split_quoting_braces(name.substr(1, name.size() - 2), text::comma_or_space);
}

table_ptr bad_syntax(const open_request& request, std::string_view wanted) {
    const std::string type(request.type);
    return unavailable(request, "bad syntax: \"" + type + ':' + std::string(request.name) + "\"; need \"" + type +
                                    ":{" + std::string(wanted) + "...}\"");
}

template <class Table>
table_ptr open_compound(const open_request& request) {
    const std::vector<std::string_view> specs = fields_of(request.name);
    if (specs.empty() || specs.size() > max_members ||
        std::any_of(specs.begin(), specs.end(), [](std::string_view s) { return s.find(':') == s.npos; })) {
        return bad_syntax(request, "type:name");
    }
    members members;
    for (const std::string_view spec : specs) members.push_back(open_member(spec, request));
    return std::make_shared<Table>(request, std::move(members));
}

}  // namespace

table_ptr open_union(const open_request& request) {
    return open_compound<union_table>(request);
}

table_ptr open_pipe(const open_request& request) {
    return open_compound<pipe_table>(request);
}

table_ptr open_random(const open_request& request) {
    const std::vector<std::string_view> values = fields_of(request.name);
    if (values.empty()) return bad_syntax(request, "value");
    return std::make_shared<random_table>(request, std::vector<std::string>(values.begin(), values.end()));
}

}  // namespace mta::table

// mta/table/indexed.cpp - tables of key and value lines: hash, btree, lmdb, cdb, dbm and sdbm as postmap(1) or
// postalias(1) would index them, texthash as it reads them itself, and texts that stand in for a server.
//
// The first entry of a key stays, a later one is warned of. Lines that are no entries are warned of and left out.
#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "mta/table/alias_text.hpp"
#include "mta/table/source_text.hpp"
#include "mta/table/types.hpp"
#include "mta/text/strings.hpp"

namespace mta::table {
namespace {

// Entries sorted by key, over one block of text: small, and one allocation for tables of any size.
class entry_table final : public table {
  public:
    struct entry {
        std::string key;
        std::string value;
        std::size_t line = 0;
    };

    entry_table(const open_request& request, std::string logged_name, std::string file, std::vector<entry> entries)
        : table(request.type, request.name, key_style::fixed, request.options.fold_keys, request.options.utf8),
          logged_name_(std::move(logged_name)),
          file_(std::move(file)) {
        std::size_t bytes = 0;
        for (const auto& e : entries) bytes += e.key.size() + e.value.size();
        text_.reserve(bytes);
        rows_.reserve(entries.size());
        for (const auto& e : entries) {
            rows_.push_back({text_.size(), static_cast<std::uint32_t>(e.key.size()),
                             static_cast<std::uint32_t>(e.value.size()), e.line});
            text_ += e.key;
            text_ += e.value;
        }
    }

  private:
    struct row {
        std::size_t offset;
        std::uint32_t key_size;
        std::uint32_t value_size;
        std::size_t line;
    };

    std::string_view key_of(const row& r) const { return std::string_view(text_).substr(r.offset, r.key_size); }

    lookup_result find(std::string_view key) const override {
        const auto found = std::lower_bound(rows_.begin(), rows_.end(), key,
                                            [&](const row& r, std::string_view wanted) { return key_of(r) < wanted; });
        if (found == rows_.end() || key_of(*found) != key) return lookup_result::miss();
        return lookup_result::hit(text_.substr(found->offset + found->key_size, found->value_size),
                                  {file_, found->line});
    }
    std::string logged_name() const override { return logged_name_; }

    std::string logged_name_;
    std::string file_;
    std::string text_;
    std::vector<row> rows_;
};

// What differs between the programs that read such a text.
struct dialect {
    std::string duplicate_prefix;       // before: duplicate entry: "key"
    bool duplicate_names_line = false;  // "FILE, line N" stands there instead
    std::string ignoring;               // after: expected format: key whitespace value
    std::string_view file;
    bool by_postmap = false;
};

class reader {
  public:
    reader(const open_request& request, dialect dialect) : request_(request), dialect_(std::move(dialect)) {}

    std::vector<entry_table::entry> read(std::string_view text) {
        for (const logical_line& line : logical_lines(dialect_.file, text, request_.diagnostics)) {
            if (request_.options.utf8 && !is_utf8(line.text)) {
                warn(line, "non-UTF-8 input \"" + printable(line.text) + "\" -- ignoring this line");
            } else if (request_.options.syntax == source_syntax::aliases) {
                read_alias(line);
            } else {
                read_entry(line);
            }
        }
        return without_duplicates();
    }

  private:
    void warn(const logical_line& line, std::string_view what) {
        request_.diagnostics.push_back(
            {severity::warning,
             std::string(dialect_.file) + ", line " + std::to_string(line.number) + ": " + std::string(what),
             where(line), dialect_.by_postmap});
    }
    position where(const logical_line& line) const { return {std::string(dialect_.file), line.number}; }

    void read_entry(const logical_line& line) {
        const std::string_view text = line.text;
        const std::optional<std::size_t> length = key_length(text);
        if (!length) return warn(line, "unbalanced '\"' in '" + printable(text) + "' -- ignoring this line");
        const std::string_view key = text.substr(0, *length);
        const std::string_view value = text::trimmed(text.substr(*length));
        if (key.empty() || value.empty()) {
            return warn(line, "expected format: key whitespace value" + dialect_.ignoring);
        }
        if (key.ends_with(':')) warn(line, R"(record is in "key: value" format; is this an alias file?)");
        add(line, key, value);
    }

    void read_alias(const logical_line& line) {
        alias_entry entry = parse_alias(line.text);
        if (!entry.error.empty()) return warn(line, entry.error);
        add(line, entry.name, entry.value);
    }

    void add(const logical_line& line, std::string_view key, std::string_view value) {
        std::string stored(value);
        if (request_.options.values_are_files) {
            file_contents contents = contents_of(value, request_.host);
            if (!contents.error.empty()) return warn(line, contents.error + ": skipping this entry");
            stored = std::move(contents.text);
        }
        entries_.push_back(
            {request_.options.fold_keys ? text::lowered(key) : std::string(key), std::move(stored), line.number});
        diagnostics_at_.push_back(request_.diagnostics.size());
    }

    // The warnings stand in line order, between those of the lines around them.
    std::vector<entry_table::entry> without_duplicates() {
        std::vector<std::size_t> order(entries_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            const int by_key = entries_[a].key.compare(entries_[b].key);
            return by_key != 0 ? by_key < 0 : a < b;
        });
        std::vector<std::size_t> kept;
        std::vector<std::size_t> dropped;
        for (const std::size_t i : order) {
            const bool duplicate = !kept.empty() && entries_[kept.back()].key == entries_[i].key;
            (duplicate ? dropped : kept).push_back(i);
        }
        std::sort(dropped.begin(), dropped.end());
        note_duplicates(dropped);
        std::vector<entry_table::entry> sorted;
        sorted.reserve(kept.size());
        for (const std::size_t i : kept) sorted.push_back(std::move(entries_[i]));
        return sorted;
    }

    void note_duplicates(const std::vector<std::size_t>& dropped) {
        std::vector<diagnostic> merged;
        std::vector<diagnostic>& all = request_.diagnostics;
        std::size_t copied = 0;
        for (const std::size_t i : dropped) {
            for (; copied < diagnostics_at_[i]; ++copied) merged.push_back(std::move(all[copied]));
            const auto& entry = entries_[i];
            const std::string prefix = dialect_.duplicate_names_line
                                           ? std::string(dialect_.file) + ", line " + std::to_string(entry.line)
                                           : dialect_.duplicate_prefix;
            merged.push_back({severity::warning,
                              prefix + ": duplicate entry: \"" + printable(entry.key) + '"',
                              {std::string(dialect_.file), entry.line},
                              dialect_.by_postmap});
        }
        for (; copied < all.size(); ++copied) merged.push_back(std::move(all[copied]));
        all = std::move(merged);
    }

    const open_request& request_;
    dialect dialect_;
    std::vector<entry_table::entry> entries_;
    std::vector<std::size_t> diagnostics_at_;  // for each entry: how many diagnostics stood when it was read
};

// The database file that a type's library adds to the name, and how its duplicate warning names the table.
struct index_type {
    std::string_view type;
    std::string_view suffix;         // of the file that is opened
    std::string_view warned_suffix;  // of the name in warnings
    bool warns_with_type;
};
constexpr std::array<index_type, 6> index_types = {{
    {"hash", ".db", ".db", false},
    {"btree", ".db", ".db", false},
    {"lmdb", ".lmdb", "", true},
    {"cdb", ".cdb", "", false},
    {"dbm", ".{dir,pag}", "", false},
    {"sdbm", ".{dir,pag}", "", false},
}};

table_ptr read_entries(const open_request& request, std::string_view text, dialect dialect, std::string logged_name) {
    std::string file(dialect.file);
    std::vector<entry_table::entry> entries = reader(request, std::move(dialect)).read(text);
    return std::make_shared<entry_table>(request, std::move(logged_name), std::move(file), std::move(entries));
}

}  // namespace

table_ptr open_indexed(const open_request& request) {
    const std::string name(request.name);
    const auto* const row = std::find_if(index_types.begin(), index_types.end(),
                                         [&](const index_type& t) { return t.type == request.type; });
    const std::optional<std::string> text = request.host.read ? request.host.read(name) : std::nullopt;
    if (!text) {
        return unavailable(request, "open database " + name + std::string(row->suffix) + ": No such file or directory");
    }
    const std::string typed = std::string(request.type) + ':' + name;
    dialect dialect;
    dialect.duplicate_prefix = row->warns_with_type ? typed : name + std::string(row->warned_suffix);
    dialect.file = request.name;
    dialect.by_postmap = true;
    const std::string logged = typed + std::string(row->type == "cdb" ? row->suffix : row->warned_suffix);
    return read_entries(request, *text, std::move(dialect), logged);
}

table_ptr open_texthash(const open_request& request) {
    const std::string name(request.name);
    const std::optional<std::string> text = request.host.read ? request.host.read(name) : std::nullopt;
    if (!text) return unavailable(request, "open database " + name + ": No such file or directory");
    dialect dialect;
    dialect.duplicate_names_line = true;
    dialect.ignoring = " -- ignoring this line";
    dialect.file = request.name;
    return read_entries(request, *text, std::move(dialect), "texthash:" + name);
}

table_ptr open_stand_in(const open_request& request) {
    const std::string spec = std::string(request.type) + ':' + std::string(request.name);
    const std::optional<std::string> text = request.host.read ? request.host.read(spec) : std::nullopt;
    if (!text) {
        return unavailable(request, "unsupported dictionary type: " + std::string(request.type));
    }
    dialect dialect;
    dialect.duplicate_names_line = true;
    dialect.file = spec;
    return read_entries(request, *text, std::move(dialect), spec);
}

}  // namespace mta::table

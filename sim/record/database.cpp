#include "sim/record/database.hpp"

#include <sqlite3.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "sim/record/deriver.hpp"
#include "sim/record/schema.hpp"
#include "sim/record/sqlite.hpp"

namespace sim::record {
namespace {

// Entries in one transaction.
constexpr std::size_t batch_size = 20'000;

struct closer {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
using connection = std::unique_ptr<sqlite3, closer>;

connection connect(const std::string& path, int flags, std::string_view doing) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    connection owned(handle);
    if (code != SQLITE_OK) sqlite::fail(handle, path, doing);
    return owned;
}

void execute(sqlite3* handle, const std::string& path, const char* sql, std::string_view doing) {
    if (sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) != SQLITE_OK) sqlite::fail(handle, path, doing);
}

std::int64_t pragma(sqlite3* handle, const std::string& path, std::string_view name) {
    std::string sql = "PRAGMA ";
    sql += name;
    sqlite::statement query(handle, path, sql);
    return query.next() ? query.number(0) : 0;
}

// Takes an earlier record away, so that the new one has nothing of it; anything else of that name stays.
void make_room(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return;
    const std::string advice = ": is no record of relaylab, so it is not replaced; choose another name or remove it";
    if (!std::filesystem::is_regular_file(status)) throw record_error(path + advice);
    const auto size = std::filesystem::file_size(path, error);
    if (!error && size > 0) {
        bool ours = false;
        try {
            const connection old = connect(path, SQLITE_OPEN_READONLY, "look into the file");
            ours = pragma(old.get(), path, "application_id") == application_id;
        } catch (const record_error&) {
            ours = false;
        }
        if (!ours) throw record_error(path + advice);
    }
    std::filesystem::remove(path, error);
    if (error) throw record_error(path + ": cannot replace the earlier record: " + error.message());
    std::filesystem::remove(path + "-journal", error);
}

}  // namespace

struct database::implementation {
    std::string path;
    connection handle;
    std::unique_ptr<deriver> rows;  // null when open to be read
    bool in_transaction = false;
    std::size_t in_batch = 0;
    std::optional<std::string> failure;  // the first one: a record with a gap says so ever after

    ~implementation() {
        try {
            commit();
        } catch (const record_error&) {
            // close() is how a caller learns of it.
        }
    }

    void prepare(std::string name, detail kept) {
        path = std::move(name);
        handle = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "create the record");
        // A crash of the machine may cost the record of a run, which the same seed makes again.
        // Nothing is ever rolled back. The cache of 64 MiB holds what is gone back to all the time: the ends of the
        // indexes by message.
        execute(handle.get(), path,
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; "
                "PRAGMA cache_size = -65536",
                "create the record");
        const std::string marks = "BEGIN; PRAGMA application_id = " + std::to_string(application_id) +
                                  "; PRAGMA user_version = " + std::to_string(schema_version) + ";" + schema_sql +
                                  "INSERT INTO schema_version VALUES (" + std::to_string(schema_version) + "); COMMIT";
        execute(handle.get(), path, marks.c_str(), "create the record");
        rows = std::make_unique<deriver>(handle.get(), path, kept);
    }

    template <class Work>
    void write(const Work& work) {
        if (failure) throw record_error(*failure);
        if (!rows) throw record_error(path + ": is open to be read only");
        try {
            if (!in_transaction) {
                execute(handle.get(), path, "BEGIN", "write the record");
                in_transaction = true;
            }
            work(*rows);
            if (++in_batch >= batch_size) commit();
        } catch (const record_error& error) {
            failure = error.what();
            throw;
        }
    }

    void commit() {
        if (failure) throw record_error(*failure);
        if (!in_transaction) return;
        try {
            execute(handle.get(), path, "COMMIT", "write the record");
        } catch (const record_error& error) {
            failure = error.what();
            throw;
        }
        in_transaction = false;
        in_batch = 0;
    }
};

database::database(detail kept) : self_(std::make_unique<implementation>()) {
    self_->prepare(":memory:", kept);
}
database::database(std::unique_ptr<implementation> self) : self_(std::move(self)) {}
database::database(database&&) noexcept = default;
database& database::operator=(database&&) noexcept = default;
database::~database() = default;

database database::create(const std::string& path) {
    make_room(path);
    auto self = std::make_unique<implementation>();
    self->prepare(path, detail::everything);
    return database(std::move(self));
}

database database::open(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        throw record_error(path +
                           ": there is no such file; relaylab run --db FILE, or --out DIR (DIR/run.db), writes one");
    }
    auto self = std::make_unique<implementation>();
    self->path = path;
    self->handle = connect(path, SQLITE_OPEN_READONLY, "open the record");
    if (pragma(self->handle.get(), self->path, "application_id") != application_id) {
        throw record_error(path + ": is an SQLite database, but no record of relaylab");
    }
    const auto version = pragma(self->handle.get(), self->path, "user_version");
    if (version != schema_version) {
        throw record_error(path + ": is a record of schema version " + std::to_string(version) +
                           "; this relaylab reads " + std::to_string(schema_version) + ": play the run again");
    }
    return database(std::move(self));
}

void database::add_host(std::string_view name, std::string_view address, const mta::text::time_zone& zone) {
    self_->write([&](deriver& rows) { rows.add_host(name, address, zone); });
}

void database::add(std::string_view host, const mta::maillog::entry& entry) {
    self_->write([&](deriver& rows) { rows.add(host, entry, std::nullopt); });
}

void database::add(std::string_view host, const mta::maillog::entry& entry, std::string_view line) {
    self_->write([&](deriver& rows) { rows.add(host, entry, line); });
}

void database::commit() {
    self_->commit();
}

void database::close() {
    self_->commit();
    self_->rows.reset();
    self_->handle.reset();
}

sqlite3* database::handle() const {
    return self_->handle.get();
}
const std::string& database::path() const {
    return self_->path;
}

}  // namespace sim::record

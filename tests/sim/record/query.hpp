// tests/sim/record/query.hpp - a query's answer as text, one row a line, columns between bars; and all rows of a
// record.
#pragma once
#include <sqlite3.h>

#include <stdexcept>
#include <string>

#include "sim/record/database.hpp"

namespace sim::record::samples {

inline std::string query(const database& record, const std::string& sql) {
    std::string out;
    char* error = nullptr;
    const auto row = [](void* into, int count, char** values, char**) {
        auto& text = *static_cast<std::string*>(into);
        for (int i = 0; i < count; ++i) (text += i > 0 ? "|" : "") += values[i] ? values[i] : "";
        text += '\n';
        return 0;
    };
    if (sqlite3_exec(record.handle(), sql.c_str(), row, &out, &error) != SQLITE_OK) {
        const std::string what = error ? error : "query failed";
        sqlite3_free(error);
        throw std::runtime_error(what + ": " + sql);
    }
    return out;
}

inline std::string everything(const database& record) {
    std::string out;
    for (const char* table : {"hosts", "sessions", "commands", "messages", "hops", "deliveries", "events", "log"}) {
        (out += table) += '\n';
        out += query(record, std::string("SELECT * FROM ") + table);
    }
    return out;
}

}  // namespace sim::record::samples

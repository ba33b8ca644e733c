#include "sim/record/dump.hpp"

#include <vector>

#include "sim/record/sqlite.hpp"

namespace sim::record {

std::string dump(const database& record) {
    std::vector<std::string> tables;
    sqlite::statement names(record.handle(), record.path(),
                            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
    while (names.next()) tables.push_back(names.text(0));
    std::string out;
    for (const std::string& table : tables) {
        sqlite::statement columns(record.handle(), record.path(), "SELECT count(*) FROM pragma_table_info(?)");
        columns.bind(1, table);
        const int width = columns.next() ? static_cast<int>(columns.number(0)) : 0;
        sqlite::statement rows(record.handle(), record.path(), "SELECT * FROM \"" + table + "\"");
        while (rows.next()) {
            out += table;
            for (int i = 0; i < width; ++i) {
                out += '|';
                if (!rows.is_null(i)) out += rows.text(i);
            }
            out += '\n';
        }
    }
    return out;
}

}  // namespace sim::record

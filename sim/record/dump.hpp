// sim/record/dump.hpp - all rows of a record as text, for holding two records against each other.
#pragma once
#include <string>

#include "sim/record/database.hpp"

namespace sim::record {

// One line a row, `table|column|column...`, tables by name and rows by number. A failure to read is a record_error.
std::string dump(const database& record);

}  // namespace sim::record

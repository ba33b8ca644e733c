// sim/record/schema.hpp - the tables and views of run.db; docs/reference/record.md explains them.
#pragma once

namespace sim::record {

// The statements that make an empty database a record.
extern const char* const schema_sql;

// PRAGMA application_id: "RLab". Tells our files from those of others.
inline constexpr int application_id = 0x524c6162;

}  // namespace sim::record

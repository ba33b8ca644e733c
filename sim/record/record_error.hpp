// sim/record/record_error.hpp - the record could not be written or read: disk full, a path that cannot be, a foreign
// file.
#pragma once
#include <stdexcept>

namespace sim::record {

// what() names the file, what was tried, what the system said and what to do about it.
class record_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace sim::record

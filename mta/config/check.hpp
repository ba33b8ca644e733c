// mta/config/check.hpp - everything wrong with one host's configuration, as `relaylab check` lists it.
//
// The texts are those of the Postfix program that would meet the problem first; at the end come, as warnings of the
// lab's own, the parameters that it does not simulate.
#pragma once
#include "mta/config/master_cf.hpp"
#include "mta/config/parameters.hpp"
#include "mta/config/problem.hpp"

namespace mta::config {

enum class lab_notes { leave_out, include };

// `main` and `master` bring their own problems; these come first. Sorted as found: file order.
problems check(const main_cf& main, const master_cf& master, const parameters::pointer& values,
               lab_notes = lab_notes::include);

}  // namespace mta::config

// mta/config/parameters.hpp - the values that a host, or one service on it, runs with (postconf(5)).
//
// Immutable layers: the built-in table is shared by all, a layer holds only what is set in it and looks the rest up
// below. Getters expand and convert, and are pure: services read what they need once, at their start. A value that
// Postfix would not start with throws `fatal` with Postfix's text; a name that no layer and no table knows is a
// mistake in the program and throws std::logic_error.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mta/config/main_cf.hpp"
#include "mta/config/parameter_table.hpp"
#include "mta/config/problem.hpp"

namespace mta::config {

struct service;

// What the defaults of myhostname, mydomain and mynetworks are computed from.
struct machine {
    std::string host_name;               // gethostname(2)
    std::vector<std::string> addresses;  // of its interfaces with prefix: "192.168.137.5/24", "fd00::5/64"
};

class parameters {
  public:
    using pointer = std::shared_ptr<const parameters>;

    // The bottom layer: nothing set, the built-in defaults and those of this machine.
    static pointer defaults(machine);
    // A layer above `below`; of definitions with one name the last counts.
    static pointer layer(pointer below, std::span<const definition>);
    // As layer(), for master.cf's `-o name=value`: throws fatal on what the daemon would refuse.
    static pointer with_overrides(pointer below, std::span<const definition>);
    // The view of one service of master.cf: its -o overrides, $service_name, $process_name.
    static pointer for_service(pointer below, const service&);
    ~parameters();
    parameters(const parameters&) = delete;
    parameters& operator=(const parameters&) = delete;

    // Expanded values of known parameters, range-checked. Of `raw` ones text() gives the unexpanded text. A name of
    // the user's own (a restriction class) is expanded as a string; use defines() before asking for such a name.
    std::string text(std::string_view name) const;
    std::int64_t number(std::string_view name) const;                // integer, nint, long
    bool flag(std::string_view name) const;                          // boolean, nbool
    std::chrono::nanoseconds duration(std::string_view name) const;  // time
    // The words of text(name), between commas and white space; `{...}` holds together.
    std::vector<std::string> words(std::string_view name) const;

    // NAME_<suffix> of one delivery transport, with its fallback: transport_number("smtp",
    // "_destination_concurrency_limit") is smtp_destination_concurrency_limit or the value of
    // default_destination_concurrency_limit.
    std::int64_t transport_number(std::string_view transport, std::string_view suffix) const;
    std::chrono::nanoseconds transport_duration(std::string_view transport, std::string_view suffix) const;
    std::string transport_text(std::string_view transport, std::string_view suffix) const;

    // Whether a layer sets it (a default does not count), and whether it is set or a parameter of Postfix.
    bool is_set(std::string_view name) const;
    bool defines(std::string_view name) const;
    // The text before expansion, set or default; "" for an undefined name.
    std::string unexpanded(std::string_view name) const;
    // Where the value in force was written; no file for a default.
    position where(std::string_view name) const;
    // The names that the layers set, sorted.
    std::vector<std::string> set_names() const;

    // Any text with $names in it, for values that tables or other parameters hold. Throws fatal as Postfix does for a
    // bad expression or for expressions nested too deep.
    std::string expand(std::string_view text) const;
    std::string expand(std::string_view text, const position& blame) const;

    const machine& host() const;
    // Memory held by this layer alone, for the benchmark of large worlds.
    std::size_t bytes() const;

  private:
    struct row;
    struct found;
    parameters();
    static std::shared_ptr<parameters> make(pointer below, std::span<const definition>);
    std::string_view name_of(const row&) const;
    std::string_view value_of(const row&) const;
    const row* find_here(std::string_view name) const;
    found find(std::string_view name) const;
    std::string checked_text(std::string_view name, type&, const parameter*&, position&) const;

    // Defaults that are computed. `busy` holds the bits of those under way: asked again, they are undefined, as they
    // are in Postfix while it starts.
    std::optional<std::string> value(std::string_view name, unsigned busy) const;
    std::string expand(std::string_view text, const position& blame, unsigned busy) const;
    std::string default_networks(unsigned busy) const;

    pointer below_;
    std::shared_ptr<const machine> machine_;
    std::vector<std::shared_ptr<const std::string>> files_;
    std::vector<row> rows_;  // sorted by name
    std::string blob_;       // the values, and the names that the table does not have
};

}  // namespace mta::config

#include "sim/lab/recorder.hpp"

namespace sim::lab {

recorder::recorder(options choice) : options_(std::move(choice)) {
    if (options_.database) {
        database_ = options_.database_path.empty()
                        ? std::make_unique<record::database>(options_.kept_in_memory)
                        : std::make_unique<record::database>(record::database::create(options_.database_path));
    }
    if (options_.conservation) conservation_ = std::make_unique<scenario::conservation>();
}

void recorder::add_host(std::string_view name, const std::string& address, const std::vector<std::string>& interfaces,
                        bool utf8) {
    auto& log = logs_.emplace(std::string(name), record::maillog(std::string(name), {}, utf8)).first->second;
    if (options_.on_line) log.print_with(options_.on_line);
    if (database_) database_->add_host(name, address);
    if (conservation_) {
        std::vector<std::string> addresses;
        for (const std::string& each : interfaces) addresses.push_back(each.substr(0, each.find('/')));
        conservation_->add_host(name, addresses);
    }
}

std::string_view recorder::add(std::string_view host, const mta::maillog::entry& entry) {
    const auto found = logs_.find(host);
    if (found == logs_.end()) return {};
    ++entries_;
    const std::string_view line = found->second.add(entry);
    if (!line.empty()) last_line_ = entry.when;
    if (database_) database_->add(host, entry, line);
    if (conservation_) conservation_->add(host, entry);
    return line;
}

const record::maillog* recorder::log_of(std::string_view host) const {
    const auto found = logs_.find(host);
    return found == logs_.end() ? nullptr : &found->second;
}

}  // namespace sim::lab

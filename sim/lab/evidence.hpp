// sim/lab/evidence.hpp - the facts that expectations are checked against, drawn from a lab's record.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "sim/lab/recorder.hpp"
#include "sim/scenario/evidence.hpp"

namespace sim::lab {

class lab;

// What servers refused, gathered from the commands and their replies as they happen.
class refusal_collector {
  public:
    // `name_of`: the machine with an address, or the address itself.
    explicit refusal_collector(std::function<std::string(std::string_view address)> name_of)
        : name_of_(std::move(name_of)) {}
    void add(std::string_view host, const mta::maillog::entry& entry);
    const std::vector<scenario::refusal_fact>& all() const { return all_; }

  private:
    struct conversation {
        std::string client, sender;
    };
    std::function<std::string(std::string_view)> name_of_;
    std::map<std::pair<std::string, std::uint64_t>, conversation> open_;
    std::vector<scenario::refusal_fact> all_;
};

class lab_evidence final : public scenario::evidence {
  public:
    lab_evidence(lab& from, const refusal_collector& refused) : lab_(from), refused_(refused) {}
    std::vector<std::string> hosts() const override;
    std::vector<scenario::delivery_fact> deliveries() const override { return ends_by_now().deliveries; }
    std::vector<scenario::bounce_fact> bounces() const override { return ends_by_now().bounces; }
    std::vector<scenario::refusal_fact> refusals() const override { return refused_.all(); }
    void maillog(std::string_view host, const std::function<bool(std::string_view line)>& visit) const override;
    scenario::queue_counts queue(std::string_view host) const override;
    std::vector<std::string> mailbox(std::string_view host, std::string_view user) const override;

  private:
    // Drawn from all messages of the record at once: many claims are judged at one moment.
    struct ends {
        std::uint64_t entries;  // that had been recorded
        std::vector<scenario::delivery_fact> deliveries;
        std::vector<scenario::bounce_fact> bounces;
    };
    const ends& ends_by_now() const;

    lab& lab_;
    const refusal_collector& refused_;
    mutable std::optional<ends> ends_;
};

}  // namespace sim::lab

// tests/sim/scenario/fake_evidence.hpp - facts that a test writes down itself.
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/evidence.hpp"

namespace tests {

struct fake_evidence final : sim::scenario::evidence {
    std::vector<sim::scenario::delivery_fact> all_deliveries;
    std::vector<sim::scenario::bounce_fact> all_bounces;
    std::vector<sim::scenario::refusal_fact> all_refusals;
    std::map<std::string, std::vector<std::string>, std::less<>> logs;
    std::map<std::string, sim::scenario::queue_counts, std::less<>> queues;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> boxes;

    std::vector<std::string> hosts() const override {
        std::vector<std::string> result;
        for (const auto& [name, lines] : logs) result.push_back(name);
        return result;
    }
    std::vector<sim::scenario::delivery_fact> deliveries() const override { return all_deliveries; }
    std::vector<sim::scenario::bounce_fact> bounces() const override { return all_bounces; }
    std::vector<sim::scenario::refusal_fact> refusals() const override { return all_refusals; }
    void maillog(std::string_view host, const std::function<bool(std::string_view)>& visit) const override {
        const auto found = logs.find(host);
        if (found == logs.end()) return;
        for (const auto& line : found->second) {
            if (!visit(line)) return;
        }
    }
    sim::scenario::queue_counts queue(std::string_view host) const override {
        const auto found = queues.find(host);
        return found == queues.end() ? sim::scenario::queue_counts{} : found->second;
    }
    std::vector<std::string> mailbox(std::string_view host, std::string_view user) const override {
        const auto found = boxes.find({std::string(host), std::string(user)});
        return found == boxes.end() ? std::vector<std::string>{} : found->second;
    }
};

}  // namespace tests

#include "mta/postscreen/dnsbl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mta/dns.hpp"
#include "mta/master/mail_system.hpp"

namespace mta::postscreen {
namespace {

void take_answer(dnsbl_score& score, const settings& options, const std::string& domain,
                 const std::vector<dns::record>& records) {
    for (const dnsbl_site& site : options.sites) {
        if (site.domain != domain) continue;
        const bool hit = std::any_of(records.begin(), records.end(), [&](const dns::record& each) {
            return !site.filter || site.filter->matches(each.address);
        });
        if (!hit) continue;
        score.total += site.weight;
        if (score.name.empty() || score.weight < site.weight) {
            score.name = site.shown;
            score.weight = site.weight;
        }
    }
}

task<void> ask_one(master::mail_system& mail, const settings& options, std::shared_ptr<dnsbl_score> score,
                   std::string address, std::string domain) {
    const auto query = dns::dnsbl_name(address, domain);
    if (query) {
        dns::question question;
        question.name = *query;
        const dns::response got = co_await mail.host().resolve(question);
        const maillog::process& by = mail.process_of("dnsblog");
        std::uint32_t ttl = got.negative_ttl_s;
        if (got.ok()) {
            const std::vector<dns::record> records = dns::records_of(got, dns::record_type::a);
            for (const dns::record& each : records) {
                const std::string line =
                    fmt::format("addr {} listed by domain {} as {}", address, domain, each.address);
                mail.log(by, {}, maillog::remark{maillog::level::info, line});
                ttl = each.ttl_s;
            }
            take_answer(*score, options, domain, records);
        } else if (!got.not_found()) {
            mail.warn(by, fmt::format("dnsblog_query: lookup error for DNS query {}: {}", *query,
                                      dns::explain(question, got.state)));
        }
        if (got.ok() || got.not_found()) {
            score->ttl_s = score->has_ttl ? std::min(score->ttl_s, ttl) : ttl;
            score->has_ttl = true;
        }
    }
    --score->pending;
    const std::function<void()> tell = score->complete() ? std::exchange(score->on_complete, {}) : nullptr;
    if (tell) tell();
}

}  // namespace

std::shared_ptr<dnsbl_score> ask_lists(master::mail_system& mail, const settings& options, const std::string& address) {
    auto score = std::make_shared<dnsbl_score>();
    std::set<std::string> domains;
    for (const dnsbl_site& each : options.sites) domains.insert(each.domain);
    score->pending = static_cast<int>(domains.size());
    for (const std::string& each : domains) mail.tasks().start(ask_one(mail, options, score, address, each));
    return score;
}

}  // namespace mta::postscreen

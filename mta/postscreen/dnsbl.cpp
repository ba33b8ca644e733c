#include "mta/postscreen/dnsbl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mta/dns.hpp"
#include "mta/master/mail_system.hpp"

namespace mta::postscreen {
void dnsbl_score::add(const std::vector<dnsbl_site>& sites, std::string_view domain,
                      const std::vector<std::string>& addresses) {
    for (const dnsbl_site& site : sites) {
        if (site.domain != domain) continue;
        const bool hit = std::any_of(addresses.begin(), addresses.end(), [&](const std::string& each) {
            return !site.filter || site.filter->matches(each);
        });
        if (!hit) continue;
        total += site.weight;
        if (name.empty() || weight < site.weight) {
            name = site.shown;
            weight = site.weight;
        }
    }
}

namespace {

task<void> ask_one(master::mail_system& mail, const settings& options, std::shared_ptr<dnsbl_score> score,
                   std::string address, std::string domain) {
    const auto query = dns::dnsbl_name(address, domain);
    if (query) {
        dns::question question;
        question.name = *query;
        const time_point asked = mail.now();
        const dns::response got = co_await mail.host().resolve(question);
        const bool late = mail.now() - asked > options.dnsbl_timeout;
        const maillog::process& by = mail.process_of("dnsblog");
        std::uint32_t ttl = got.negative_ttl_s;
        if (got.ok()) {
            const std::vector<dns::record> records = dns::records_of(got, dns::record_type::a);
            std::vector<std::string> addresses;
            for (const dns::record& each : records) {
                addresses.push_back(each.address);
                const std::string line =
                    fmt::format("addr {} listed by domain {} as {}", address, domain, each.address);
                mail.log(by, {}, maillog::remark{maillog::level::info, line});
                ttl = each.ttl_s;
            }
            if (!late) score->add(options.sites, domain, addresses);
        } else if (!got.not_found()) {
            mail.warn(by, fmt::format("dnsblog_query: lookup error for DNS query {}: {}", *query,
                                      dns::explain(question, got.state)));
        }
        if (late) {
            const auto limit_s = std::chrono::duration_cast<std::chrono::seconds>(options.dnsbl_timeout).count();
            mail.warn(mail.process_of("postscreen"), fmt::format("dnsblog reply timeout {}s for {}", limit_s, domain));
        } else if (got.ok() || got.not_found()) {
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

#include "mta/qmgr/destination.hpp"

#include <cmath>
#include <cstdlib>
#include <string>

#include "mta/text/strings.hpp"

namespace mta::qmgr {

std::optional<feedback> feedback::parse(std::string_view text) {
    feedback result;
    const auto slash = text.find('/');
    const std::string numerator(text::trimmed(text.substr(0, slash)));
    char* end = nullptr;
    result.base = std::strtod(numerator.c_str(), &end);
    if (numerator.empty() || *end != 0 || !(result.base >= 0) || result.base > 1) return std::nullopt;
    result.hysteresis = result.base > 0 ? 1 : 0;
    if (slash == std::string_view::npos) return result;
    const std::string denominator(text::trimmed(text.substr(slash + 1)));
    if (denominator == "concurrency") {
        result.by = scale::concurrency;
    } else if (denominator == "sqrt_concurrency") {
        result.by = scale::square_root;
    } else {
        const double divisor = std::strtod(denominator.c_str(), &end);
        if (denominator.empty() || *end != 0 || !(divisor > 0)) return std::nullopt;
        result.base /= divisor;
    }
    return result;
}

double feedback::at(int window) const {
    switch (by) {
        case scale::concurrency:
            return base / window;
        case scale::square_root:
            return base / std::sqrt(window);
        case scale::fixed:
            break;
    }
    return base;
}

void concurrency::succeeded(int busy) {
    failed_cohorts_ = 0;
    if (dead()) return revive(busy);
    if (settings_->limit != 0 && window_ >= settings_->limit) return;
    if (window_ >= busy + settings_->initial) return;
    const double step = settings_->positive.at(window_);
    if (!(step > 0)) return;
    success_ += step;
    while (success_ + step / 2 >= settings_->positive.hysteresis) {
        window_ += static_cast<int>(settings_->positive.hysteresis);
        success_ -= settings_->positive.hysteresis;
        failure_ = 0;
    }
    if (settings_->limit != 0 && window_ > settings_->limit) window_ = settings_->limit;
}

bool concurrency::failed(const queue::delivery_status& why) {
    if (dead()) return false;
    failed_cohorts_ += 1.0 / window_;
    if (settings_->failed_cohorts > 0 && failed_cohorts_ >= settings_->failed_cohorts) {
        window_ = 0;
        reason_ = why;
        return true;
    }
    const double step = settings_->negative.at(window_);
    if (step > 0) {
        failure_ -= step;
        while (failure_ - step / 2 < 0) {
            window_ -= static_cast<int>(settings_->negative.hysteresis);
            success_ = 0;
            failure_ += settings_->negative.hysteresis;
        }
        if (window_ < 1) window_ = 1;
    }
    return false;
}

void concurrency::revive(int busy) {
    window_ = busy > 0 ? busy : settings_->initial;
    success_ = failure_ = failed_cohorts_ = 0;
    reason_ = {};
}

}  // namespace mta::qmgr

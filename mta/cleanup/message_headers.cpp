#include "mta/cleanup/message_headers.hpp"

#include "mta/text/strings.hpp"

namespace mta::cleanup {
namespace {

// is_header(3): a name of printable characters, and a colon, perhaps after white space. 0: no header.
std::size_t name_length(std::string_view line) {
    std::size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 0x7f && line[length] != ':') ++length;
    std::size_t colon = length;
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    return length > 0 && colon < line.size() && line[colon] == ':' ? length : 0;
}

std::size_t line_end(std::string_view text, std::size_t begin) {
    const auto newline = text.find('\n', begin);
    return newline == std::string_view::npos ? text.size() : newline + 1;
}

}  // namespace

std::string_view header::value(std::string_view text) const {
    const auto colon = text.find(':', begin + name_length);
    std::string_view result = text.substr(colon + 1, end - colon - 1);
    if (!result.empty() && result.back() == '\n') result.remove_suffix(1);
    return result;
}

message_headers::message_headers(std::string content) : text_(std::move(content)) {
    if (text_.empty() || text_.back() != '\n') text_ += '\n';
    const std::string_view text = text_;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = line_end(text, at);
        const char first = text[at];
        if ((first == ' ' || first == '\t') && !headers_.empty()) {
            headers_.back().end = end;
        } else {
            const std::size_t length = name_length(text.substr(at, end - at));
            if (length == 0) break;
            headers_.push_back({at, end, length, false});
        }
        at = end;
    }
    body_ = at;
}

const header* message_headers::find(std::string_view name) const {
    for (const header& each : headers_) {
        if (!each.dropped && text::equal_ignoring_case(each.name(text_), name)) return &each;
    }
    return nullptr;
}

int message_headers::count(std::string_view name) const {
    int result = 0;
    for (const header& each : headers_)
        result += !each.dropped && text::equal_ignoring_case(each.name(text_), name) ? 1 : 0;
    return result;
}

std::vector<std::string> message_headers::values(std::string_view name) const {
    std::vector<std::string> result;
    for (const header& each : headers_) {
        if (!each.dropped && text::equal_ignoring_case(each.name(text_), name)) result.emplace_back(each.value(text_));
    }
    return result;
}

void message_headers::drop(const header& which) {
    headers_[static_cast<std::size_t>(&which - headers_.data())].dropped = true;
    dropped_any_ = true;
}

void message_headers::drop_all(std::string_view name) {
    for (const header& each : headers_) {
        if (text::equal_ignoring_case(each.name(text_), name)) drop(each);
    }
}

void message_headers::append(std::string_view name, std::string_view value) {
    (((added_ += name) += ": ") += value) += '\n';
}

message_headers::whole message_headers::finish() {
    whole result;
    const bool separated = body_ < text_.size() && text_[body_] == '\n';
    if (!dropped_any_ && separated) {
        text_.insert(body_, added_);
        result.header_size = body_ + added_.size();
        result.text = std::move(text_);
        return result;
    }
    for (const header& each : headers_) {
        if (!each.dropped) result.text.append(text_, each.begin, each.end - each.begin);
    }
    result.text += added_;
    result.header_size = result.text.size();
    if (!separated) result.text += '\n';
    result.text.append(text_, body_);
    return result;
}

}  // namespace mta::cleanup

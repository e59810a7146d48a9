#include "protocol/journal.h"

#include <algorithm>

namespace muster::protocol {

Status SavedExtent::take(ByteSpan record) {
  const std::uint64_t index = count_++;
  const auto envelope = wire::reread_envelope(record);
  if (!envelope || !is_a(*envelope, MessageType::kRestarted)) return {};
  MUSTER_TRY(const Restarted restarted, read_body<Restarted>(*envelope));
  if (restarted.records > index)
    return Error{Errc::kMalformed, "journal record " + std::to_string(index) +
                                       ": a restart after record " +
                                       std::to_string(restarted.records) + ", which follows it"};
  lost_.push_back({restarted.records, index});
  return {};
}

bool SavedExtent::contains(std::uint64_t index) const {
  if (index >= saved_) return false;
  return std::ranges::none_of(lost_, [&](const Lost& lost) {
    return lost.first <= index && index < lost.end && lost.end < saved_;
  });
}

Error records_missing(std::uint64_t records, std::uint64_t saved) {
  return {Errc::kMalformed, "the journal has " + std::to_string(records) +
                                " records, and the saved state was made after " +
                                std::to_string(saved) +
                                "; both must be of the same folder and time"};
}

Status recover_from(Journal& journal, std::uint64_t saved, const SigningKey& key,
                    const Recovery& core) {
  SavedExtent extent(saved);
  MUSTER_TRY_STATUS(journal.replay(0, [&](Round, ByteSpan record) { return extent.take(record); }));
  if (saved > journal.count()) return records_missing(journal.count(), saved);
  std::uint64_t index = 0;
  MUSTER_TRY_STATUS(journal.replay(
      0, [&](Round, ByteSpan record) { return core.take(record, extent.contains(index++)); }));
  if (!extent.needs_restart_record()) return {};
  const Position position = core.position();
  return journal.append(position.round, sign_message(position, Restarted{saved}, key));
}

}  // namespace muster::protocol

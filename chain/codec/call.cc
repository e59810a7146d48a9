#include "chain/codec/call.h"

namespace muster::chain {
namespace {

struct Entry {
  CallId id;
  RuntimeCall (*make)();
};

template <class T>
RuntimeCall make() {
  return T{};
}

template <class... Calls>
constexpr std::array<Entry, sizeof...(Calls)> entries(const std::variant<Calls...>*) {
  return {Entry{Calls::kId, &make<Calls>}...};
}

constexpr auto kEntries = entries(static_cast<const CallVariant*>(nullptr));

}  // namespace

RuntimeCall::RuntimeCall() = default;
RuntimeCall::RuntimeCall(const RuntimeCall&) = default;
RuntimeCall::RuntimeCall(RuntimeCall&&) noexcept = default;
RuntimeCall& RuntimeCall::operator=(const RuntimeCall&) = default;
RuntimeCall& RuntimeCall::operator=(RuntimeCall&&) noexcept = default;
RuntimeCall::~RuntimeCall() = default;
bool RuntimeCall::operator==(const RuntimeCall& other) const {
  return static_cast<const CallVariant&>(*this) == static_cast<const CallVariant&>(other);
}

CallId id_of(const RuntimeCall& call) { return kEntries[call.index()].id; }

RuntimeCall default_call(std::size_t number) {
  MUSTER_CHECK(number < kCallCount, "no such call");
  return kEntries[number].make();
}

Bytes encode_call(const RuntimeCall& call) {
  ScaleWriter writer;
  const CallId id = id_of(call);
  writer(id.pallet, id.index);
  std::visit([&](const auto& arguments) { writer(arguments); }, call);
  return std::move(writer).take();
}

RuntimeCall read_call(ScaleReader& reader) {
  std::uint8_t pallet = 0, index = 0;
  reader(pallet, index);
  const auto* entry = std::ranges::find_if(kEntries, [&](const Entry& candidate) {
    return candidate.id.pallet == pallet && candidate.id.index == index;
  });
  if (entry == kEntries.end()) {
    reader.fail(ScaleFault::kUnknownCall);
    return {};
  }
  RuntimeCall call = entry->make();
  std::visit([&](auto& arguments) { reader(arguments); }, call);
  return call;
}

Result<RuntimeCall> decode_call(ByteSpan bytes) {
  ScaleReader reader(bytes);
  RuntimeCall call = read_call(reader);
  if (const ScaleFault fault = reader.finish(); fault != ScaleFault::kNone) return error_of(fault);
  return call;
}

}  // namespace muster::chain

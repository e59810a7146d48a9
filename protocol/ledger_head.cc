#include "protocol/ledger_head.h"

namespace muster::protocol {
namespace {

Bytes signed_part(const Hash& genesis, std::uint64_t number, const Hash& block) {
  ByteWriter writer;
  writer.append(bytes_of("muster/ledger-head"));
  writer.append(genesis.bytes);
  writer.write(number);
  writer.append(block.bytes);
  return std::move(writer).take();
}

}  // namespace

LedgerHead sign_head(const SigningKey& ledger, const Hash& genesis, std::uint64_t number,
                     const Hash& block) {
  return {genesis, number, block, ledger.sign(signed_part(genesis, number, block))};
}

bool is_signed_by(const LedgerHead& head, const PublicKey& ledger) {
  return verify_signature(ledger, signed_part(head.genesis, head.number, head.block),
                          head.signature);
}

std::string describe(const LedgerHead& head) {
  return "block " + std::to_string(head.number) + " " + head.block.hex() + ", signed " +
         to_hex(head.signature.bytes);
}

}  // namespace muster::protocol

#include "chain/economy/dividends.h"

#include "chain/economy/injection.h"

namespace muster::chain {

std::vector<ValidatorPay> distribute_dividends(std::span<const Validator> validators,
                                               std::uint64_t pending_alpha,
                                               std::uint64_t pending_root_alpha,
                                               U96F32 tao_weight) {
  std::vector<ValidatorPay> parts;  // of each one's dividends first
  ValidatorPay sum;
  for (const Validator& validator : validators) {
    const U96F32 root = fixed_from<U96F32>(validator.root_stake) * tao_weight;
    const U96F32 stake = fixed_from<U96F32>(validator.alpha_stake) + root;
    const U96F32 root_part = validator.dividends * safe_div(root, stake);
    parts.push_back({validator.dividends - root_part, root_part});
    sum.alpha = sum.alpha + parts.back().alpha;
    sum.root_alpha = sum.root_alpha + parts.back().root_alpha;
  }
  for (ValidatorPay& part : parts) {
    part.alpha = fixed_from<U96F32>(pending_alpha) * safe_div(part.alpha, sum.alpha);
    part.root_alpha =
        fixed_from<U96F32>(pending_root_alpha) * safe_div(part.root_alpha, sum.root_alpha);
  }
  return parts;
}

TakeSplit split_take(U96F32 pay, std::uint16_t take_u16) {
  const U96F32 take = fraction_of_u16(take_u16) * pay;
  return {integer_from<std::uint64_t>(take), integer_from<std::uint64_t>(pay - take)};
}

U96F32 withheld_proportion(std::uint64_t withheld, std::uint64_t incentives) {
  return safe_div(fixed_from<U96F32>(withheld), fixed_from<U96F32>(incentives));
}

}  // namespace muster::chain

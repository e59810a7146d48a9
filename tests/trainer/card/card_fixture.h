// The trainer's small model in a shape that cards take, and a card: one whose thread blocks the
// host plays or, with MUSTER_FIRST_CARD, the first of this machine; then tests skip, with the
// reason, where there is none.
#pragma once

#include "tests/cuda/host_card.h"
#include "tests/trainer/trainer_fixture.h"
#include "trainer/data/data_set.h"

namespace muster::trainer {

inline Result<std::shared_ptr<gpu::Card>> open_test_card() {
#if defined(MUSTER_FIRST_CARD)
  MUSTER_TRY(const auto cards, gpu::load_cards(std::filesystem::path(MUSTER_BINARY_DIR) / "bin"));
  MUSTER_TRY(auto card, cards->open(0));
  return std::shared_ptr<gpu::Card>(std::move(card));
#else
  return std::shared_ptr<gpu::Card>(std::make_shared<gpu::HostCard>());
#endif
}

class CardTrainerTest : public TrainerTest {
 protected:
  CardTrainerTest() {
    config_.model.heads = config_.model.kv_heads = 1;
    theta_ = make_theta();
  }
  void SetUp() override {
    auto opened = open_test_card();
    if (!opened) GTEST_SKIP() << opened.error().message;
    card_ = *opened;
    prepare();
  }
  virtual void prepare() {}
  [[nodiscard]] DataSet data(const std::filesystem::path& path,
                             const char* split = kTrainSplit) const {
    return DataSet::open(path, config_.model.context, config_.model.vocab, split).value();
  }
  [[nodiscard]] std::shared_ptr<gpu::Card> card() const { return card_; }

 private:
  std::shared_ptr<gpu::Card> card_;
};

}  // namespace muster::trainer

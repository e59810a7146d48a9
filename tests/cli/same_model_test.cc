#include "cli/same_model.h"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

// The message for a configuration that differs by `change`.
template <class Change>
std::string error_of(Change change) {
  state::ModelSpec configured;
  change(configured);
  const Status status = check_same_model(configured, {}, "run.toml", "m");
  return status ? "" : status.error().message;
}

TEST(SameModel, TakesEqualModelsAndShorterContexts) {
  EXPECT_EQ(error_of([](auto&) {}), "");
  EXPECT_EQ(error_of([](auto& model) { model.context = 16; }), "");
}

TEST(SameModel, NamesFieldAndBothValues) {
  EXPECT_EQ(
      error_of([](auto& model) { model.d_ff = 17; }),
      "run.toml: 'model.d_ff' is 17, m/config.json has 384; leave the field out, or change it");
}

TEST(SameModel, NamesTheFirstFieldThatDiffers) {
  const std::string error = error_of([](auto& model) {
    model.layers = 3;
    model.vocab = 300;
  });
  EXPECT_NE(error.find("model.layers"), std::string::npos) << error;
}

TEST(SameModel, LooksAtEveryField) {
  EXPECT_NE(error_of([](auto& model) { model.d_model = 64; }).find("d_model"), std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.heads = 2; }).find("heads"), std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.kv_heads = 2; }).find("kv_heads"), std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.context = 1000; }).find("context"), std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.vocab = 300; }).find("vocab"), std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.tied = false; }).find("'model.tied' is false"),
            std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.rope_theta = 5e5f; }).find("rope_theta"),
            std::string::npos);
  EXPECT_NE(error_of([](auto& model) { model.norm_epsilon = 1e-6f; }).find("norm_epsilon"),
            std::string::npos);
  EXPECT_NE(
      error_of([](auto& model) { model.rope_scaling = state::RopeScaling{}; }).find("rope_factor"),
      std::string::npos);
}

}  // namespace
}  // namespace muster::cli

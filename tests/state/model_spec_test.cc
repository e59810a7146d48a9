#include "state/model_spec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "state/state_root.h"

namespace muster::state {
namespace {

TEST(ModelSpec, HasTheParametersOfTheQuickstartModel) {
  EXPECT_EQ(layout_of(ModelSpec{}).parameters(), 459392u);
}

TEST(ModelSpec, NamesTensorsAsHuggingFaceDoes) {
  ModelSpec spec;
  spec.tied = false;
  const auto layout = layout_of(spec);
  const auto& tensors = layout.tensors();
  EXPECT_EQ(tensors.front().name, "model.embed_tokens.weight");
  EXPECT_EQ(tensors[2].name, "model.layers.0.self_attn.q_proj.weight");
  EXPECT_EQ(tensors.back().name, "lm_head.weight");
}

TEST(ModelSpec, RefusesHeadsThatDoNotDivideTheWidth) {
  ModelSpec spec;
  spec.heads = 3;
  EXPECT_EQ(validate(spec).error().code, Errc::kInvalidArgument);
  spec = {};
  spec.kv_heads = 3;
  EXPECT_FALSE(validate(spec));
  spec = {};
  spec.layers = 0;
  EXPECT_NE(validate(spec).error().message.find("layers"), std::string::npos);
}

TEST(ModelSpec, CountsItsParametersWithoutALayout) {
  for (const bool tied : {true, false}) {
    ModelSpec spec;
    spec.tied = tied;
    spec.kv_heads = 2;
    EXPECT_EQ(parameter_count(spec), layout_of(spec).parameters());
  }
}

TEST(ModelSpec, OfMoreParametersThanALayoutTakesIsRefused) {
  ModelSpec spec;
  spec.d_model = 32768;
  spec.layers = 512;
  spec.d_ff = 262144;
  EXPECT_EQ(validate(spec).error().code, Errc::kTooLarge);
}

TEST(InitialParameters, AreTheSameBitsEverywhereForASeed) {
  const ModelSpec spec;
  const auto layout = layout_of(spec);
  std::vector<float> theta(layout.parameters());
  initial_parameters(spec, 1, theta);
  std::vector<float> again(layout.parameters()), other(layout.parameters());
  initial_parameters(spec, 1, again);
  initial_parameters(spec, 2, other);
  EXPECT_EQ(theta, again);
  EXPECT_NE(theta, other);
}

TEST(InitialParameters, HaveTheIntendedSpread) {
  const ModelSpec spec;
  const auto layout = layout_of(spec);
  std::vector<float> theta(layout.parameters());
  initial_parameters(spec, 3, theta);
  auto spread = [&](const compression::Tensor& tensor) {
    double square = 0;
    for (std::uint64_t i = 0; i < tensor.elements; ++i)
      square += static_cast<double>(theta[tensor.offset + i]) *
                static_cast<double>(theta[tensor.offset + i]);
    return std::sqrt(square / static_cast<double>(tensor.elements));
  };
  const auto& tensors = layout.tensors();
  EXPECT_NEAR(spread(tensors[0]), 0.02, 0.001) << tensors[0].name;
  EXPECT_EQ(spread(tensors[1]), 1.0) << "norm gains start at one";
  EXPECT_NEAR(spread(tensors[2]), 1 / std::sqrt(128.0), 0.003) << tensors[2].name;
}

}  // namespace
}  // namespace muster::state

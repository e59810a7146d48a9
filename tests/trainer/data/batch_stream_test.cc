#include "trainer/data/batch_stream.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

class BatchStreamTest : public ::testing::Test {
 protected:
  BatchStreamTest() {
    Bytes bytes(200);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
    MUSTER_CHECK(write_byte_tokens(directory_ / "t.bin", bytes).has_value(), "");
  }
  [[nodiscard]] DataSet open() const { return DataSet::open(directory_ / "t.bin", 1, 256).value(); }
  muster::testing::TemporaryDirectory directory_;
};

TEST_F(BatchStreamTest, GivesTheBatchesInOrderAndThenSaysThatItIsClosed) {
  const DataSet data = open();
  BatchStream stream(data, ids_in_order({5, 0, 7, 1, 99}), 2);
  const auto first = stream.next().value();
  EXPECT_EQ(std::vector(first.begin(), first.end()), (std::vector<std::int32_t>{10, 11, 0, 1}));
  const auto second = stream.next().value();
  EXPECT_EQ(std::vector(second.begin(), second.end()), (std::vector<std::int32_t>{14, 15, 2, 3}));
  EXPECT_EQ(stream.next().error().code, Errc::kClosed);
  EXPECT_EQ(stream.next().error().code, Errc::kClosed);
}

TEST_F(BatchStreamTest, GivesWhatReadGivesForManyBatches) {
  const DataSet data = open();
  std::vector<std::uint64_t> ids(3000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i * 37 % data.sequences();
  BatchStream stream(data, ids_in_order(ids), 3);
  std::vector<std::int32_t> expected(6);
  for (std::size_t i = 0; i < ids.size(); i += 3) {
    ASSERT_TRUE(data.read(std::span(ids).subspan(i, 3), expected));
    const auto batch = stream.next().value();
    ASSERT_EQ(std::vector(batch.begin(), batch.end()), expected) << i;
  }
}

TEST_F(BatchStreamTest, UsesTwoBuffersInTurn) {
  const DataSet data = open();
  BatchStream stream(data, ids_in_order({1, 2, 3, 4, 5, 6}), 1);
  const std::int32_t* first = stream.next().value().data();
  const std::int32_t* second = stream.next().value().data();
  EXPECT_NE(first, second);
  EXPECT_EQ(stream.next().value().data(), first);
  EXPECT_EQ(stream.next().value().data(), second);
}

TEST_F(BatchStreamTest, GivesAnErrorWhereItComesInTheOrder) {
  const DataSet data = open();
  BatchStream stream(data, ids_in_order({1, 100}), 1);
  EXPECT_TRUE(stream.next());
  EXPECT_EQ(stream.next().error().code, Errc::kNotFound);
  EXPECT_EQ(stream.next().error().code, Errc::kNotFound);
}

TEST_F(BatchStreamTest, StopsWithBatchesThatNobodyTook) {
  const DataSet data = open();
  {
    const BatchStream untouched(
        data, [](std::span<std::uint64_t>) { return true; }, 4);
  }
  BatchStream one_taken(
      data, [](std::span<std::uint64_t>) { return true; }, 4);
  EXPECT_TRUE(one_taken.next());
}

}  // namespace
}  // namespace muster::trainer

#include "trainer/run/event_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tests/python.h"
#include "tests/temporary_directory.h"

namespace muster::trainer {
namespace {

const std::filesystem::path kOracles =
    std::filesystem::path(MUSTER_SOURCE_DIR) / "tests/trainer/oracles";

// The examples of RFC 3720, B.4.
TEST(Crc32c, IsTheRfcs) {
  EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8a9136aau);
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43u);
  Bytes rising(32);
  std::iota(rising.begin(), rising.end(), std::uint8_t{0});
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(crc32c({}), 0u);
}

std::vector<Bytes> records_of(ByteSpan file) {
  std::vector<Bytes> records;
  ByteReader reader(file);
  while (!reader.finished()) {
    const auto length = reader.read<std::uint64_t>();
    static_cast<void>(reader.read<std::uint32_t>());
    const ByteSpan record = reader.take(length);
    EXPECT_EQ(reader.read<std::uint32_t>(), masked_crc32c(record));
    EXPECT_FALSE(reader.failed());
    if (reader.failed()) break;
    records.emplace_back(record.begin(), record.end());
  }
  return records;
}

// What torch's SummaryWriter wrote.
TEST(EventFile, WritesScalarsAsTensorBoardsOwnWriter) {
  const Bytes oracle = read_file(kOracles / "tensorboard_scalars.tfevents", 1 << 20).value();
  std::ifstream text(kOracles / "tensorboard_scalars.json");
  const auto tags = nlohmann::json::parse(text)["tags"];
  const auto records = records_of(oracle);
  ASSERT_EQ(records.size(), 21u);
  Bytes ours;
  for (std::size_t i = 0; i < 10; ++i) {
    for (const char* tag : {"train/loss", "gossip/peers"}) {
      const auto& scalar = tags[tag][i];
      const Bytes record =
          framed(scalars_event(scalar[2], scalar[0], std::vector<Scalar>{{tag, scalar[1]}}));
      ours.insert(ours.end(), record.begin(), record.end());
    }
  }
  const std::size_t first = 16 + records[0].size();  // names its writer, too
  EXPECT_EQ(ours, Bytes(oracle.begin() + static_cast<std::ptrdiff_t>(first), oracle.end()));
  const Bytes version = version_event(1.0);
  EXPECT_TRUE(std::equal(version.begin() + 9, version.end(), records[0].begin() + 9))
      << "behind the time";
}

TEST(EventFile, WritesOneFileThatSortsByTime) {
  muster::testing::TemporaryDirectory directory;
  auto file = EventFile::create(directory / "events", 1700000000.5);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  EXPECT_TRUE(file->path().filename().string().starts_with("events.out.tfevents.1700000000."));
  ASSERT_TRUE(file->write(restart_event(1700000001, 300)));
  const auto records = records_of(read_file(file->path(), 1 << 20).value());
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(to_hex(records[1]).substr(18),
            "10ac02"
            "3a020801")
      << "step 300; session log: start";
  EXPECT_EQ(EventFile::create(directory / "events", 1700000000.5).error().code,
            Errc::kAlreadyExists);
}

TEST(EventFile, IsReadByTheTensorboardPackage) {
  using namespace muster::testing;
  if (!python_has("tensorboard")) GTEST_SKIP() << python() << " has no tensorboard";
  muster::testing::TemporaryDirectory directory;
  {
    auto before = EventFile::create(directory / "events", 1700000000).value();
    for (int step = 0; step < 10; ++step)
      ASSERT_TRUE(before.write(
          scalars_event(1700000000 + step, step, std::vector<Scalar>{{"loss", 9.0f}})));
    auto after = EventFile::create(directory / "events", 1700000020).value();
    ASSERT_TRUE(after.write(restart_event(1700000020, 5)));
    for (int step = 5; step < 8; ++step)
      ASSERT_TRUE(after.write(scalars_event(1700000020 + step, step,
                                            std::vector<Scalar>{{"loss", 1.0f}, {"norm", 2.0f}})));
  }
  const auto read = nlohmann::json::parse(
      output_of(python() + " " MUSTER_SOURCE_DIR "/tests/trainer/run/read_tfevents.py " +
                (directory / "events").string() + " 2>/dev/null"));
  ASSERT_EQ(read["tags"]["loss"].size(), 8u) << "later steps of the run before are dropped";
  EXPECT_EQ(read["tags"]["loss"][4][1], 9.0);
  EXPECT_EQ(read["tags"]["loss"][5][1], 1.0);
  EXPECT_EQ(read["tags"]["norm"].size(), 3u);
}

}  // namespace
}  // namespace muster::trainer

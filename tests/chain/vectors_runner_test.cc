// The program that runs the vectors must itself notice what is wrong, and never crash on a file.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/chain/vectors/json_fields.h"
#include "tests/temporary_directory.h"

namespace muster::chain {
namespace {

using vectors::json;

struct Finished {
  int exit_code = -1;
  std::string output;
};

class VectorsRunner : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  Finished run(const std::string& name = "") const {
    const std::string out = (folder_ / "out").string();
    const std::string command = MUSTER_BINARY_DIR "/tests/chain/chain_vectors '" +
                                (folder_ / name).string() + "' >'" + out + "' 2>&1";
    const int status = std::system(command.c_str());
    std::ostringstream text;
    text << std::ifstream(out).rdbuf();
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text.str()};
  }
  Finished run_cases(const std::string& cases) {
    write("x.json", R"({"schema":"swap/1","cases":[)" + cases + "]}");
    return run();
  }

  testing::TemporaryDirectory folder_;
};

TEST_F(VectorsRunner, PassesWhatIsRight) {
  const Finished result =
      run_cases(R"({"fn":"fee","amount":1000000000,"fee_rate":33,"expected":503547})");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "x: 1/1 (skipped 0)\n");
}

TEST_F(VectorsRunner, ReadsLargeNumbersFromStrings) {
  EXPECT_EQ(
      run_cases(R"({"fn":"fee","amount":"1000000000","fee_rate":33,"expected":503547})").exit_code,
      0);
}

TEST_F(VectorsRunner, NamesWhatIsWrong) {
  const Finished result =
      run_cases(R"({"fn":"fee","amount":1000000000,"fee_rate":33,"expected":503548})");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("x.json: case 0 fee: expected: expected 503548, got 503547"),
            std::string::npos)
      << result.output;
}

TEST_F(VectorsRunner, AnUnknownKindFails) {
  const Finished result = run_cases(R"({"fn":"fees"})");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("fees"), std::string::npos);
}

TEST_F(VectorsRunner, AMalformedCaseIsAnErrorAndTheOthersStillRun) {
  const Finished result = run_cases(R"({"fn":"fee","amount":-1,"fee_rate":33,"expected":0},7,)"
                                    R"({"fn":"fee","amount":0,"fee_rate":33,"expected":0})");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("field 'amount' is out of range: -1"), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("x: 1/3 (skipped 0)"), std::string::npos) << result.output;
}

TEST_F(VectorsRunner, AnUnknownSchemaIsAnError) {
  write("x.json", R"({"schema":"swap/10","cases":[]})");
  const Finished result = run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("unknown schema 'swap/10'"), std::string::npos) << result.output;
}

TEST_F(VectorsRunner, CannotReadWhatIsNoJson) {
  for (const char* text :
       {"", "{", "[1,", "\xff", R"({"schema":1})", R"({"schema":"swap/1"})",
        R"({"schema":"swap/1","cases":{}})", R"({"schema":"swap/1","cases":[1e999]})"}) {
    write("x.json", text);
    EXPECT_EQ(run().exit_code, 2) << text;
  }
}

TEST_F(VectorsRunner, SurvivesDeepNesting) {
  write("x.json", R"({"schema":"swap/1","cases":)" + std::string(100'000, '[') +
                      std::string(100'000, ']') + "}");
  EXPECT_EQ(run().exit_code, 2);
}

TEST_F(VectorsRunner, NeedsAFolderWithVectors) {
  EXPECT_EQ(run().exit_code, 2);
  EXPECT_EQ(run("nothing").exit_code, 2);
}

TEST_F(VectorsRunner, CapsItsLines) {
  std::string cases;
  for (int i = 0; i < 100; ++i) cases += std::string(i == 0 ? "" : ",") + R"({"fn":"fees"})";
  const Finished result = run_cases(cases);
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 22);
  EXPECT_NE(result.output.find("80 more lines"), std::string::npos) << result.output;
}

TEST(JsonFields, IntegersAreStrict) {
  EXPECT_EQ(vectors::integer_of<std::uint16_t>(json(65535), "x"), 65535);
  EXPECT_THROW((void)vectors::integer_of<std::uint16_t>(json(65536), "x"), vectors::Malformed);
  EXPECT_THROW((void)vectors::integer_of<std::uint64_t>(json(-1), "x"), vectors::Malformed);
  EXPECT_THROW((void)vectors::integer_of<std::uint64_t>(json(1.0), "x"), vectors::Malformed);
  EXPECT_THROW((void)vectors::integer_of<std::uint64_t>(json(""), "x"), vectors::Malformed);
  EXPECT_THROW((void)vectors::integer_of<std::uint64_t>(json("0x10"), "x"), vectors::Malformed);
  EXPECT_THROW((void)vectors::integer_of<std::uint64_t>(json(nullptr), "x"), vectors::Malformed);
  EXPECT_EQ(vectors::integer_of<std::int64_t>(json(INT64_MIN), "x"), INT64_MIN);
}

TEST(JsonFields, ReadAll128Bits) {
  EXPECT_EQ(vectors::uint128_of(json("340282366920938463463374607431768211455"), "x"), kUint128Max);
  EXPECT_THROW((void)vectors::uint128_of(json("340282366920938463463374607431768211456"), "x"),
               vectors::Malformed);
  EXPECT_EQ(vectors::integer_of<Int128>(json("-170141183460469231731687303715884105728"), "x"),
            kInt128Min);
  EXPECT_EQ(vectors::to_text(kInt128Min), "-170141183460469231731687303715884105728");
}

TEST(JsonFields, DecimalsRoundToTheNearestEven) {
  EXPECT_EQ(vectors::fixed_from_number<I32F32>(0.1).bits, 429496730);
  EXPECT_EQ(vectors::fixed_from_number<I32F32>(1e300), I32F32::max());
  EXPECT_EQ(vectors::fixed_from_number<I32F32>(-1e300), I32F32::min());
  EXPECT_EQ(vectors::fixed_from_number<U64F64>(-1), U64F64::zero());
}

}  // namespace
}  // namespace muster::chain

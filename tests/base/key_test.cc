#include "base/key.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/temporary_directory.h"

namespace muster {
namespace {

using testing::TemporaryDirectory;

TEST(KeyFile, RoundTripsWithOwnerOnlyPermissions) {
  TemporaryDirectory directory;
  const SigningKey key(random_seed());
  ASSERT_TRUE(write_key_file(directory / "hotkey", key));
  const auto mode = std::filesystem::status(directory / "hotkey").permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(read_key_file(directory / "hotkey").value().public_key(), key.public_key());
}

TEST(KeyFile, IsRefusedWhenOthersCanReadIt) {
  TemporaryDirectory directory;
  ASSERT_TRUE(write_key_file(directory / "hotkey", SigningKey(random_seed())));
  std::filesystem::permissions(directory / "hotkey", std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  const auto result = read_key_file(directory / "hotkey");
  EXPECT_EQ(result.error().code, Errc::kPermission);
  EXPECT_NE(result.error().message.find("chmod 600"), std::string::npos);
}

TEST(KeyFile, IsNeverOverwritten) {
  TemporaryDirectory directory;
  ASSERT_TRUE(write_key_file(directory / "hotkey", SigningKey(random_seed())));
  EXPECT_EQ(write_key_file(directory / "hotkey", SigningKey(random_seed())).error().code,
            Errc::kAlreadyExists);
}

TEST(KeyFile, MakesTheFolderThatItLiesIn) {
  TemporaryDirectory directory;
  EXPECT_TRUE(write_key_file(directory / "keys" / "deep" / "hotkey", SigningKey(random_seed())));
  EXPECT_TRUE(read_key_file(directory / "keys" / "deep" / "hotkey"));
  const auto refused = write_key_file("/proc/none/hotkey", SigningKey(random_seed()));
  EXPECT_NE(refused.error().message.find("/proc/none: cannot make this folder for a key"),
            std::string::npos)
      << refused.error().message;
}

TEST(KeyFile, RefusesOtherVersionsAndDamage) {
  TemporaryDirectory directory;
  ASSERT_TRUE(write_new_file(directory / "v2", bytes_of("muster-hotkey 2\nabc\n"), 0600));
  ASSERT_TRUE(write_new_file(directory / "cut", bytes_of("muster-hotkey 1\nabcd\n"), 0600));
  ASSERT_TRUE(write_new_file(directory / "other", bytes_of("-----BEGIN KEY-----"), 0600));
  EXPECT_EQ(read_key_file(directory / "v2").error().code, Errc::kVersion);
  EXPECT_EQ(read_key_file(directory / "cut").error().code, Errc::kMalformed);
  EXPECT_EQ(read_key_file(directory / "other").error().code, Errc::kMalformed);
  EXPECT_EQ(read_key_file(directory / "none").error().code, Errc::kNotFound);
}

TEST(CurveKey, OthersDeriveThePublicHalfFromTheHotkey) {
  const SigningKey key(random_seed());
  EXPECT_EQ(curve_key_pair(key).public_key, curve_public_key(key.public_key()).value());
}

TEST(CurveKey, RefusesAHotkeyThatIsNoPoint) {
  PublicKey nonsense;
  nonsense.bytes.fill(0xff);
  EXPECT_EQ(curve_public_key(nonsense).error().code, Errc::kMalformed);
}

}  // namespace
}  // namespace muster

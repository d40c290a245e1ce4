using Microsoft.Extensions.Time.Testing;
using StreamLstm.Daemon.Doors;

namespace StreamLstm.Tests.Daemon.Configuration;

public sealed class SecretFileTests : IDisposable
{
    // mosquitto_passwd -c -b users plant 'correct horse' (mosquitto 2.0.11).
    private const string Pbkdf2 = "plant:$7$101$8vJcTh7vEEyy4WsL$+H/9F3zso0fef9D+40cp6AoKU737zEw4hT4GnqIwnnhIAw2jtcTfsv3XaTHX64uIRyAV9/lnG4TRIKbxOniFdA==";

    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("streamlstm-secrets").FullName, "secret");
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _changed = [], _troubles = [];

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Fact]
    public void A_token_file_that_changes_counts_within_a_second_and_one_that_is_broken_leaves_what_was_there()
    {
        File.WriteAllText(_file, "0123456789abcdef\n");
        var tokens = new AccessTokens([new AccessTokenOptions { Role = Role.Ingest, File = _file }], _time, _changed.Add, _troubles.Add);
        Assert.Equal((true, true), tokens.Ask("0123456789abcdef", Role.Ingest));
        Assert.Equal((true, false), tokens.Ask("0123456789abcdef", Role.Read));
        Assert.Equal((false, false), tokens.Ask("0123456789abcdeF", Role.Ingest));

        File.WriteAllText(_file, "fedcba9876543210\n");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, true), tokens.Ask("fedcba9876543210", Role.Ingest));
        Assert.Equal((false, false), tokens.Ask("0123456789abcdef", Role.Ingest));
        Assert.Single(_changed);

        File.WriteAllText(_file, "short\n");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, true), tokens.Ask("fedcba9876543210", Role.Ingest));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((true, true), tokens.Ask("fedcba9876543210", Role.Ingest));
        Assert.Contains("5 characters, expected 16", Assert.Single(_troubles), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tokens_of_one_text_open_what_either_opens()
    {
        const string Token = "0123456789abcdef";
        var tokens = new AccessTokens(
            [new AccessTokenOptions { Role = Role.Read, Token = Token }, new AccessTokenOptions { Role = Role.Ingest, Token = Token }], _time, _changed.Add, _troubles.Add);

        Assert.True(tokens.Ask(Token, Role.Read).Opens);
        Assert.True(tokens.Ask(Token, Role.Ingest).Opens);
        Assert.False(tokens.Ask(Token, Role.Admin).Opens);
        Assert.False(tokens.Ask("", Role.Read).Opens);
    }

    [Theory]
    [InlineData("correct horse", true)]
    [InlineData("correct horsf", false)]
    [InlineData("", false)]
    public void A_password_is_held_against_what_mosquitto_passwd_wrote(string password, bool isIt)
    {
        File.WriteAllText(_file, Pbkdf2 + "\n");
        var passwords = new PasswordFile(_file, _time, _changed.Add, _troubles.Add);

        Assert.Equal(isIt, passwords.Takes("plant", System.Text.Encoding.UTF8.GetBytes(password)));
        Assert.False(passwords.Takes("other", System.Text.Encoding.UTF8.GetBytes(password)));
        Assert.False(passwords.Takes(null, System.Text.Encoding.UTF8.GetBytes(password)));
    }

    [Theory]
    [InlineData("plant:secret\n", "line 1 is not as mosquitto_passwd writes it")]
    [InlineData("# users\nplant:$7$0$YQ==$YQ==\n", "line 2 is not as mosquitto_passwd writes it")]
    [InlineData("plant:$7$101$???$YQ==\n", "line 1 is not as mosquitto_passwd writes it")]
    [InlineData("\n", "no user in it")]
    public void A_password_file_that_cannot_be_used_is_told_without_what_stands_in_it(string text, string expected)
    {
        File.WriteAllText(_file, text);

        Assert.Contains(expected, PasswordFile.ProblemOf(_file), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", PasswordFile.ProblemOf(_file), StringComparison.Ordinal);
    }
}

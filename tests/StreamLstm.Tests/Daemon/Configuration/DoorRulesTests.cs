using StreamLstm.Daemon.Commands;
using StreamLstm.Daemon.Configuration;
using StreamLstm.Daemon.Doors;

namespace StreamLstm.Tests.Daemon.Configuration;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class DoorRulesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("streamlstm-doors").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("http.address: '0.0.0.0' lets the network in, expected 127.0.0.1, or tokens", "http.address=0.0.0.0")]
    [InlineData("http.address: 'here', expected an IP address", "http.address=here")]
    [InlineData("sources.mqtt_embedded.address: '::' lets the network in, expected 127.0.0.1, or sources.mqtt_embedded.password_file", "sources.mqtt_embedded.address=::")]
    [InlineData("http.tokens.0.token: 5 characters, expected 16 or more", "http.tokens.0.token=short")]
    [InlineData("http.tokens.0.file: none, and no token, expected one of them", "http.tokens.0.role=read")]
    [InlineData("http.tokens.0.file: '/nowhere/token': Could not find", "http.tokens.0.file=/nowhere/token")]
    [InlineData("http.tokens.0.role: 'root', expected one of read, ingest, admin", "http.tokens.0.role=root")]
    [InlineData("http.hosts.0: 'http://monitor.example', expected a name such as monitor.example", "http.hosts.0=http://monitor.example")]
    [InlineData("http.tls.key_file: none, expected both, as PEM", "http.tls.certificate_file=/etc/hostname")]
    [InlineData("sources.mqtt_embedded.password_file: '/nowhere/users': Could not find", "sources.mqtt_embedded.password_file=/nowhere/users")]
    public void A_door_that_is_not_shut_properly_is_named_with_what_to_write(string expected, string setting)
    {
        var wrong = Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load([], [setting], new Dictionary<string, string>()));

        Assert.Contains(wrong.Errors, error => error.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void The_network_is_let_in_with_tokens_and_passwords()
    {
        string token = Write("token", "0123456789abcdef0123\n"), users = Write("users", "plant:$6$c2FsdA==$aGFzaA==\n");

        DaemonOptions options = ConfigurationLoader.Load(
            [],
            ["http.address=0.0.0.0", $"http.tokens.0.file={token}", "http.tokens.0.role=admin", "sources.mqtt_embedded.address=0.0.0.0", $"sources.mqtt_embedded.password_file={users}"],
            new Dictionary<string, string>());

        Assert.Equal(Role.Admin, options.Http.Tokens[0].Role);
    }

    [Fact]
    public async Task Validate_names_a_token_file_that_others_may_read_and_what_is_unencrypted_and_never_the_token()
    {
        string token = Write("token", "0123456789abcdef0123\n");
        using var output = new StringWriter();
        string[] command = ["validate", "--deny-warnings", "--set", "http.address=0.0.0.0", "--set", $"http.tokens.0.file={token}"];

        Assert.Equal(CommandLine.WrongConfiguration, await CommandLine.InvokeAsync(command, output, output));
        Assert.Contains("warning: http.tls: none on 0.0.0.0: tokens go over the network unencrypted", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("open to others", output.ToString(), StringComparison.Ordinal);

        File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        await CommandLine.InvokeAsync(command, output, output);
        Assert.Contains($"warning: http.tokens.0.file: {token} is open to others (OtherRead, GroupRead); chmod 600 {token}", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Echo_masks_a_token()
    {
        using var output = new StringWriter();

        await CommandLine.InvokeAsync(["echo", "--set", "http.tokens.0.token=0123456789abcdef0123"], output, output);

        Assert.Contains("token: '***'", output.ToString().Replace('"', '\''), StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", output.ToString(), StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string file = Path.Combine(_directory, name);
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }
}

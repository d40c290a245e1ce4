using System.Diagnostics;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A network of its own, with one cable to the test's that can be pulled: no reset, no end, just nothing. Needs root.</summary>
internal sealed class NetworkNamespace : IDisposable
{
    private readonly string _ip;
    private readonly string _name = $"slm{Environment.ProcessId % 100_000}";
    private readonly int _subnet = Random.Shared.Next(1, 255);

    private NetworkNamespace(string ip) => _ip = ip;

    /// <summary>The address within.</summary>
    public string Inside => $"10.213.{_subnet}.2";

    public static NetworkNamespace Create()
    {
        string ip = Parts.Find("ip").FirstOrDefault() ?? (File.Exists("/usr/sbin/ip") ? "/usr/sbin/ip" : Parts.Require("ip", "iproute2"));

        if (Environment.UserName != "root")
        {
            // Not a part that could be installed: also under CI it may be so.
            Assert.Skip("a network namespace needs root");
        }

        var network = new NetworkNamespace(ip);

        if (network.Try("netns", "add", network._name) != 0)
        {
            Assert.Skip("network namespaces cannot be made here, as in a container without that right");
        }

        network.Do("link", "add", $"{network._name}a", "type", "veth", "peer", "name", $"{network._name}b", "netns", network._name);
        network.Do("addr", "add", $"10.213.{network._subnet}.1/30", "dev", $"{network._name}a");
        network.Do("link", "set", $"{network._name}a", "up");
        network.Do("-n", network._name, "addr", "add", $"{network.Inside}/30", "dev", $"{network._name}b");
        network.Do("-n", network._name, "link", "set", $"{network._name}b", "up");
        network.Do("-n", network._name, "link", "set", "lo", "up");
        return network;
    }

    /// <summary>How a program is started within; its process is the program itself.</summary>
    public ProcessStartInfo Within(string program, IEnumerable<string> arguments) => new(_ip, ["netns", "exec", _name, program, .. arguments]);

    public void Pull() => Do("link", "set", $"{_name}a", "down");

    public void Plug() => Do("link", "set", $"{_name}a", "up");

    public void Dispose() => Try("netns", "del", _name);

    private void Do(params string[] arguments) => Assert.Equal(0, Try(arguments));

    private int Try(params string[] arguments)
    {
        using Process run = Process.Start(_ip, arguments);
        run.WaitForExit();
        return run.ExitCode;
    }
}

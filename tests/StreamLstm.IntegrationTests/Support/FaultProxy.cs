using System.Net;
using System.Net.Sockets;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>What becomes of the bytes between a client and a server.</summary>
internal enum Fault
{
    /// <summary>They pass.</summary>
    None,

    /// <summary>They pass one by one.</summary>
    Trickle,

    /// <summary>They pass a while later.</summary>
    Latency,

    /// <summary>They stay where they are.</summary>
    Stall,
}

/// <summary>A way to a TCP server that can be slow, stand still, and break in the middle of a packet.</summary>
internal sealed class FaultProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly List<Socket> _open = [];
    private readonly int _target;
    private volatile Fault _fault;
    private int _cutAfter = int.MaxValue;

    public FaultProxy(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Fault Fault
    {
        get => _fault;
        set => _fault = value;
    }

    /// <summary>Cuts every connection with a reset.</summary>
    public void Reset()
    {
        lock (_open)
        {
            foreach (Socket socket in _open)
            {
                // Closed at once and with what is on the way: the other side is told by a reset. Some have ended by themselves.
                socket.Close(timeout: 0);
            }

            _open.Clear();
        }
    }

    /// <summary>Cuts the connection once so many further bytes have come from the server: in the middle of a packet, mostly.</summary>
    public void CutAfter(int bytes) => Volatile.Write(ref _cutAfter, bytes);

    public void Dispose()
    {
        _ended.Cancel();
        _listener.Dispose();
        Reset();
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_ended.Token);
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, _target, _ended.Token);
                }
                catch (SocketException)
                {
                    client.Dispose();
                    continue;
                }

                client.NoDelay = true;

                lock (_open)
                {
                    _open.AddRange([client, server]);
                }

                _ = PumpAsync(client, server, isFromServer: false);
                _ = PumpAsync(server, client, isFromServer: true);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Over.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isFromServer)
    {
        byte[] buffer = new byte[16_384];

        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer, _ended.Token)) > 0;)
            {
                while (_fault == Fault.Stall)
                {
                    await Task.Delay(20, _ended.Token);
                }

                if (_fault == Fault.Latency)
                {
                    await Task.Delay(100, _ended.Token);
                }

                if (isFromServer && Interlocked.Add(ref _cutAfter, -read) is < 0 and var over)
                {
                    Volatile.Write(ref _cutAfter, int.MaxValue);
                    await to.SendAsync(buffer.AsMemory(0, Math.Max(0, read + over)), _ended.Token);
                    Reset();
                    return;
                }

                int step = _fault == Fault.Trickle ? 1 : read;

                for (int sent = 0; sent < read; sent += step)
                {
                    await to.SendAsync(buffer.AsMemory(sent, Math.Min(step, read - sent)), _ended.Token);
                    step = _fault == Fault.Trickle ? 1 : read - sent;
                    await Task.Yield();
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Cut.
        }

        from.Dispose();
        to.Dispose();
    }
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace StreamLstm.IntegrationTests.Support;

/// <summary>A way to a broker that lets a commit through and loses its answer: whether it happened, whoever asked for it cannot know.</summary>
/// <remarks>Requests and answers of Kafka's protocol are frames of a length and what it counts; a request's first field is what is asked, and its third comes back first in the answer.</remarks>
internal sealed class KafkaProxy : IDisposable
{
    private const short EndTransaction = 26;
    private const int HeadBytes = 8;

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<Socket, byte> _open = [];
    private readonly int _target;
    private TaskCompletionSource? _lost;
    private int _answersLost;

    /// <param name="port">Where it listens; the broker names it as its own address.</param>
    /// <param name="target">The broker's port behind it.</param>
    public KafkaProxy(int port, int target)
    {
        _target = target;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Commits that happened, and whose answer nobody got.</summary>
    public int AnswersLost => _answersLost;

    /// <summary>Loses the answer to the next commit, and the connection with it.</summary>
    /// <returns>Ends once it has.</returns>
    public Task LoseNextAnswer()
    {
        _lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _lost.Task;
    }

    public void Dispose()
    {
        _ended.Cancel();
        _listener.Dispose();

        foreach (Socket socket in _open.Keys)
        {
            socket.Dispose();
        }

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
                client.NoDelay = true;

                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, _target, _ended.Token);
                }
                catch (SocketException)
                {
                    client.Dispose();
                    continue;
                }

                _open[client] = _open[server] = 0;
                var commits = new ConcurrentDictionary<int, byte>();
                _ = PumpAsync(client, server, frame =>
                {
                    if (_lost is not null && BinaryPrimitives.ReadInt16BigEndian(frame.Span[4..]) == EndTransaction)
                    {
                        commits[BinaryPrimitives.ReadInt32BigEndian(frame.Span[HeadBytes..])] = 0;
                    }

                    return true;
                });
                _ = PumpAsync(server, client, frame => !IsLost(commits, frame));
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // Over.
        }
    }

    private bool IsLost(ConcurrentDictionary<int, byte> commits, ReadOnlyMemory<byte> answer)
    {
        if (!commits.TryRemove(BinaryPrimitives.ReadInt32BigEndian(answer.Span[4..]), out _) || Interlocked.Exchange(ref _lost, null) is not { } lost)
        {
            return false;
        }

        Interlocked.Increment(ref _answersLost);
        lost.SetResult();
        return true;
    }

    /// <summary>Passes frames on, until one is not to be.</summary>
    private async Task PumpAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, bool> passes)
    {
        try
        {
            await using var stream = new NetworkStream(from);
            byte[] frame = new byte[64];

            while (true)
            {
                await stream.ReadExactlyAsync(frame.AsMemory(0, 4), _ended.Token);
                int length = 4 + BinaryPrimitives.ReadInt32BigEndian(frame);
                Array.Resize(ref frame, Math.Max(frame.Length, length));
                await stream.ReadExactlyAsync(frame.AsMemory(4, length - 4), _ended.Token);

                if (!passes(frame.AsMemory(0, length)))
                {
                    break;
                }

                for (int sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(frame.AsMemory(sent, length - sent), _ended.Token);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException or IOException)
        {
            // Cut.
        }

        from.Dispose();
        to.Dispose();
        _open.TryRemove(from, out _);
        _open.TryRemove(to, out _);
    }
}

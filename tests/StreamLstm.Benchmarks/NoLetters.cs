using StreamLstm.Daemon.Messages;
using StreamLstm.Decoding;
using StreamLstm.Detection;

namespace StreamLstm.Benchmarks;

/// <summary>Dead letters that nobody keeps.</summary>
internal sealed class NoLetters : IDeadLetters
{
    public bool Takes(string source, RejectionReason reason) => false;

    public void Add(string source, RejectionReason reason, string detail, ReadOnlySpan<byte> payload)
    {
    }

    public void AddLeftOut(string source, LeftOutReason reason, string detail, ReadOnlySpan<byte> payload)
    {
    }
}

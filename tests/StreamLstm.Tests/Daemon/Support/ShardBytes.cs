using StreamLstm.Daemon.Messages;

namespace StreamLstm.Tests.Daemon.Support;

internal static class ShardBytes
{
    /// <summary>A shard's cut as it stands in a snapshot: what comes first, then row by row.</summary>
    public static byte[] Whole(this ShardState state) =>
        [.. state.Cut.Head.Span, .. state.Cut.Rows.SelectMany(row => row.Buffer!.Take(row.Length))];
}

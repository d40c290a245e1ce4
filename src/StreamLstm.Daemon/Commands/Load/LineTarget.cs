namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Lines of a file or of standard output; acknowledged once they are handed to the system.</summary>
/// <param name="output">Where they go; left open.</param>
internal sealed class LineTarget(TextWriter output) : ILoadTarget
{
    public int Lanes => 1;

    public int BatchMax => 1_000;

    public long Waits => 0;

    public async Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken)
    {
        foreach (LoadRow row in rows)
        {
            await output.WriteAsync(System.Text.Encoding.UTF8.GetString(row.Line));
            await output.WriteAsync('\n');
        }

        await output.FlushAsync(cancellationToken);

        foreach (LoadRow row in rows)
        {
            answered(row, true);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

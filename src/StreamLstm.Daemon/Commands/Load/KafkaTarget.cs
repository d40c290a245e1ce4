using System.Text;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Commands.Load;

/// <summary>Records of a topic, each under its stream's name, so that a stream keeps to a partition; acknowledged by all replicas that keep up.</summary>
/// <param name="brokers">HOST:PORT, several separated by commas.</param>
/// <param name="topic">The topic, which must be there.</param>
internal sealed class KafkaTarget(string brokers, string topic) : ILoadTarget
{
    private readonly KafkaWriter _writer = new(new KafkaAccess(brokers, "streamlstm-simulate"));

    public int Lanes => 1;

    public int BatchMax => 1_000;

    public long Waits => 0;

    public async Task SendAsync(int lane, IReadOnlyList<LoadRow> rows, Action<LoadRow, bool> answered, CancellationToken cancellationToken)
    {
        try
        {
            await _writer.WriteAsync(
                [.. rows.Select(row => new KafkaMessage(topic, row.Stream.Length == 0 ? null : Encoding.UTF8.GetBytes(row.Stream), row.Line, []))], cancellationToken);
        }
        catch (KafkaTroubleException refused)
        {
            throw new IOException($"--to kafka://{brokers}/{topic}: {refused.Trouble.Detail}", refused);
        }

        foreach (LoadRow row in rows)
        {
            answered(row, true);
        }
    }

    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        return ValueTask.CompletedTask;
    }
}

using System.Text;
using StreamLstm.Kafka;

namespace StreamLstm.Daemon.Commands;

/// <summary>Lines of JSON as records of a topic, each under its stream's name; a thousand at a time on their way.</summary>
/// <param name="brokers">HOST:PORT, several separated by commas.</param>
/// <param name="topic">The topic.</param>
internal sealed class KafkaLines(string brokers, string topic) : TextWriter
{
    private const int UnderWayMax = 1_000;
    private const string NameBegins = "{\"stream\":\"";

    private readonly KafkaWriter _writer = new(new KafkaAccess(brokers, "streamlstm-simulate"));
    private readonly StringBuilder _line = new();
    private readonly List<KafkaMessage> _waiting = [];

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>The brokers and the topic of kafka://HOST:PORT,HOST:PORT/TOPIC; null where it is none.</summary>
    public static (string Brokers, string Topic)? Parse(string address)
    {
        const string Scheme = "kafka://";
        int slash = address.LastIndexOf('/');
        return address.StartsWith(Scheme, StringComparison.Ordinal) && slash > Scheme.Length && slash < address.Length - 1
            ? (address[Scheme.Length..slash], address[(slash + 1)..])
            : null;
    }

    public override void Write(char value)
    {
        if (value == '\n')
        {
            End();
        }
        else
        {
            _line.Append(value);
        }
    }

    /// <summary>Ends once the brokers have all lines.</summary>
    /// <exception cref="KafkaTroubleException">They do not take them.</exception>
    public override void Flush()
    {
        if (_waiting.Count > 0)
        {
            _writer.WriteAsync(_waiting, CancellationToken.None).GetAwaiter().GetResult();
            _waiting.Clear();
        }
    }

    protected override void Dispose(bool disposing)
    {
        _writer.Dispose();
        base.Dispose(disposing);
    }

    private void End()
    {
        string line = _line.ToString();
        int end = line.StartsWith(NameBegins, StringComparison.Ordinal) ? line.IndexOf('"', NameBegins.Length) : -1;
        _waiting.Add(new KafkaMessage(topic, end < 0 ? null : Encoding.UTF8.GetBytes(line[NameBegins.Length..end]), Encoding.UTF8.GetBytes(line), []));
        _line.Clear();

        if (_waiting.Count == UnderWayMax)
        {
            Flush();
        }
    }
}

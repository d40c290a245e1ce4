using System.Text;
using CsvHelper;

namespace StreamLstm.Decoding;

/// <summary>How a message's payload is laid out.</summary>
internal enum PayloadFormat
{
    /// <summary>By topic and payload: Sparkplug B, a known family of devices, JSON, a bare number or state.</summary>
    Auto,

    /// <summary>JSON, or a bare number or state, without what is known of families of devices.</summary>
    Json,

    /// <summary>CSV: a header and rows, or rows of the columns told.</summary>
    Csv,

    /// <summary>InfluxDB line protocol.</summary>
    Influx,

    /// <summary>Sparkplug B.</summary>
    SparkplugB,

    /// <summary>Text: every line is judged by its characters.</summary>
    Text,

    /// <summary>Text: every line is judged by its words.</summary>
    Words,

    /// <summary>Sound: the next samples, without a header.</summary>
    Pcm,
}

/// <summary>Reads the payloads of messages that come under topics. One source's, on one thread: Sparkplug's births are remembered.</summary>
internal sealed class PayloadDecoder
{
    private const int TopicsKept = 10_000;

    /// <summary>Microphones whose last quarter of a second is kept; of more all begin anew.</summary>
    private const int SoundsKept = 1_000;

    private readonly PayloadFormat _format;
    private readonly PayloadRules _rules;
    private readonly IReadOnlyList<string> _columns;
    private readonly IReadOnlyList<TopicTemplate> _templates;
    private readonly Dictionary<string, Place> _placeOf = new(StringComparer.Ordinal);
    private readonly List<JoinedTopic> _joined = [];
    private readonly Dictionary<string, SoundDecoder> _soundOf = new(StringComparer.Ordinal);

    /// <param name="format">How payloads are laid out.</param>
    /// <param name="rules">What is made of fields.</param>
    /// <param name="columns">Of CSV without a header: its columns.</param>
    /// <param name="templates">
    /// Name the streams of topics, the first that a topic fits; others are named as they are. Of Sparkplug B they are read against GROUP/NODE/DEVICE/METRIC.
    /// None for line protocol, whose names are in the payload and whose lines are records already.
    /// </param>
    public PayloadDecoder(PayloadFormat format, PayloadRules rules, IReadOnlyList<string> columns, IReadOnlyList<TopicTemplate>? templates = null)
    {
        (_format, _rules, _columns, _templates) = (format, rules, columns, templates ?? []);
        Sparkplug = new SparkplugB(Named, rules.ReorderTimeout);
    }

    /// <summary>What births have told.</summary>
    public SparkplugB Sparkplug { get; }

    /// <param name="topic">The topic.</param>
    /// <param name="prefix">Before the topic in the names of streams; empty for none.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="decoded">Where observations, what was left out and errors go.</param>
    /// <param name="now">A clock that never goes back, where a message of Sparkplug B may wait for those before it; null where it may not.</param>
    /// <returns>The records that they are fields of, one by one; none where they are none.</returns>
    public IReadOnlyList<JoinedTopic> Decode(string topic, string prefix, ReadOnlyMemory<byte> payload, Decoded decoded, TimeSpan? now = null)
    {
        if (_format == PayloadFormat.SparkplugB || (_format == PayloadFormat.Auto && SparkplugB.IsTopic(topic)))
        {
            Sparkplug.Decode(topic, prefix, payload.Span, decoded, now);
            return TakeJoined();
        }

        string stream = Named(prefix, topic);
        JoinedTopic[] joined = TakeJoined();
        decoded.TakesRecordsApart = joined.Length > 0;

        switch (_format)
        {
            case PayloadFormat.Csv:
                Csv(stream, payload.Span, decoded);
                break;
            case PayloadFormat.Pcm:
                Sound(stream).Decode(payload.Span, decoded);
                break;
            case PayloadFormat.Text or PayloadFormat.Words:
                TextLines.DecodeAll(payload.Span, stream, isWords: _format == PayloadFormat.Words, decoded);
                break;
            case PayloadFormat.Influx:
                int line = 1;

                foreach (string text in Encoding.UTF8.GetString(payload.Span).Split('\n'))
                {
                    InfluxLineDecoder.Decode(text.TrimEnd('\r'), line++, InfluxLineDecoder.NanosecondsPerSecond, decoded);
                }

                break;
            default:
                Json(topic, stream, payload, _format == PayloadFormat.Auto ? PlaceOf(topic).Rule : null, decoded);
                break;
        }

        decoded.TakesRecordsApart = false;
        return joined;
    }

    /// <summary>Takes messages of Sparkplug B that have waited for long enough for those before them.</summary>
    /// <returns>As of <see cref="Decode"/>.</returns>
    public IReadOnlyList<JoinedTopic> Expire(TimeSpan now, Decoded decoded)
    {
        Sparkplug.Expire(now, decoded);
        return TakeJoined();
    }

    /// <summary>The stream of a topic, or of what Sparkplug B calls so.</summary>
    private string Named(string prefix, string topic)
    {
        Place place = PlaceOf(topic);

        if (place.Joined is { } joined && !_joined.Contains(joined))
        {
            _joined.Add(joined);
        }

        return place.Stream ?? (prefix.Length > 0 ? $"{prefix}/{topic}" : topic);
    }

    private JoinedTopic[] TakeJoined()
    {
        if (_joined.Count == 0)
        {
            return [];
        }

        JoinedTopic[] joined = [.. _joined];
        _joined.Clear();
        return joined;
    }

    private void Json(string topic, string stream, ReadOnlyMemory<byte> payload, DeviceRule? device, Decoded decoded)
    {
        ReadOnlySpan<byte> bare = payload.Span.Trim(" \t\r\n"u8);

        // Not a document: a number or a state by itself, as most devices of one value send it.
        if (bare.Length is > 0 and <= 64 && bare[0] is not ((byte)'{' or (byte)'[' or (byte)'"'))
        {
            string text = Encoding.UTF8.GetString(bare);

            if (FieldText.Read(text, _rules.Units, out double value) is not { } reason)
            {
                decoded.Add(stream, null, value);
                return;
            }

            if (reason != LeftOutReason.Text)
            {
                decoded.LeftOut.Add(reason, stream, text, FieldText.Expectation(reason));
                return;
            }
        }

        if (device is { IsPassedOver: true })
        {
            decoded.LeftOut.Add(LeftOutReason.Rule, topic, "", $"no measurement of {device.Name}");
            return;
        }

        JsonDecoder.Decode(payload, line: 1, stream, decoded, _rules, device);
    }

    private void Csv(string stream, ReadOnlySpan<byte> payload, Decoded decoded)
    {
        string text = Encoding.UTF8.GetString(payload);
        string firstLine = _columns.Count > 0 ? string.Join(',', _columns) : text.AsSpan().TrimStart().ToString().Split('\n')[0];
        char separator = CsvRowDecoder.SeparatorOf(_columns.Count > 0 ? text : firstLine);
        using var parser = new CsvParser(new StringReader(text), CsvRowDecoder.Configuration(separator));
        CsvRules rules = CsvRules.Default with { Zone = _rules.Zone };
        CsvRowDecoder? rows = _columns.Count > 0 ? new CsvRowDecoder([.. _columns], stream, separator, rules) : null;

        try
        {
            while (parser.Read())
            {
                if (CsvRowDecoder.Row(parser, separator, parser.RawRow, decoded) is not { } row)
                {
                    if (rows is null)
                    {
                        return;
                    }
                }
                else if (rows is null)
                {
                    rows = new CsvRowDecoder(row, stream, separator, rules);
                }
                else
                {
                    rows.Decode(row, parser.RawRow, decoded);
                }
            }
        }
        catch (Exception damaged) when (damaged is BadDataException or MaxFieldSizeException)
        {
            decoded.Reject(parser.RawRow, damaged.Message.Split('\n')[0], parser.RawRecord ?? "");
        }
    }

    /// <summary>What a stream's sound goes on in: messages are cut anywhere.</summary>
    private SoundDecoder Sound(string stream)
    {
        if (!_soundOf.TryGetValue(stream, out SoundDecoder? decoder))
        {
            if (_soundOf.Count >= SoundsKept)
            {
                _soundOf.Clear();
            }

            _soundOf.Add(stream, decoder = new SoundDecoder(stream, _rules.Sound, isWav: false, start: null));
        }

        return decoder;
    }

    private Place PlaceOf(string topic)
    {
        if (!_placeOf.TryGetValue(topic, out Place place))
        {
            if (_placeOf.Count >= TopicsKept)
            {
                _placeOf.Clear();
            }

            place = new Place(DeviceRules.Of(topic), null, null);

            foreach (TopicTemplate template in _templates)
            {
                if (template.NameOf(topic, out string? record) is { } name)
                {
                    place = place with { Stream = name, Joined = record is null ? null : new JoinedTopic(record, template.Join!) };
                    break;
                }
            }

            _placeOf.Add(topic, place);
        }

        return place;
    }

    /// <summary>What is known of a topic.</summary>
    /// <param name="Rule">Of its device's family; null where none is known.</param>
    /// <param name="Stream">Its name by a template; null where none is of it.</param>
    /// <param name="Joined">The record that its fields are joined to; null for none.</param>
    private readonly record struct Place(DeviceRule? Rule, string? Stream, JoinedTopic? Joined);
}

/// <summary>Where the fields that come under a topic belong.</summary>
/// <param name="Stream">The record's stream.</param>
/// <param name="Rule">What makes a record.</param>
internal sealed record JoinedTopic(string Stream, JoinRule Rule);

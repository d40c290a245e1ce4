using System.Text;
using StreamLstm.Daemon.Messages;
using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Daemon.Durability;

/// <summary>Entries as the journal's bytes.</summary>
/// <remarks>
/// Observations are written as they were decoded, not as they came: what a text means depends on the configuration, the
/// clock and the time zone, and none of them is the same after a restart. Names are written once an entry.
/// </remarks>
internal static class EntryCodec
{
    private enum Kind : byte
    {
        Observations = 1,
        Tick = 2,
        Swap = 3,
        Label = 4,
        Accept = 5,
        Maintenance = 6,
        Forget = 7,
        Limits = 8,
        ObservationsWithReceipt = 9,
        Void = 10,
        Terms = 11,
        Acknowledge = 12,
    }

    private enum Form : byte
    {
        Value = 0,
        Record = 1,
        Event = 2,
    }

    /// <summary>What an event's text is, in one byte; none is a line of a log.</summary>
    private const byte EventIsKind = 1;
    private const byte EventIsCharacters = 2;
    private const byte EventIsWords = 4;

    /// <summary>Whether an entry is written down; a question is not.</summary>
    public static bool IsWritten(Entry entry) => entry is not (RouterQuestion or EndQuestion);

    public static byte[] Write(Entry entry)
    {
        using var buffer = new MemoryStream();
        using var writer = new BinaryWriter(buffer, Encoding.UTF8);

        switch (entry)
        {
            case ObservationsEntry observations:
                Receipt? receipt = observations.Batch.Receipt is { Key.Length: > 0 } kept ? kept : null;
                writer.Write((byte)(receipt is null ? Kind.Observations : Kind.ObservationsWithReceipt));

                if (receipt is not null)
                {
                    receipt.Write(writer);
                }

                Write(writer, observations.Batch);
                break;
            case TickEntry tick:
                writer.Write((byte)Kind.Tick);
                Write(writer, tick.Now);
                writer.Write(tick.Elapsed.Ticks);
                writer.Write7BitEncodedInt(tick.Rejected.Count);

                foreach (RejectedCount rejected in tick.Rejected)
                {
                    writer.Write(rejected.Source);
                    writer.Write((byte)rejected.Reason);
                    writer.Write7BitEncodedInt64(rejected.Count);
                }

                break;
            case SwapEntry { Swap: var swap }:
                writer.Write((byte)Kind.Swap);
                writer.Write(swap.Version);
                Write(writer, swap.Time);
                writer.Write(swap.ChampionLoss ?? double.NaN);
                writer.Write(swap.CandidateLoss ?? double.NaN);
                writer.Write(swap.TrainingWindows);
                writer.Write(swap.Sha256);
                writer.Write((byte)swap.Reason);
                writer.Write(swap.By);

                if (swap.Group is { } group)
                {
                    writer.Write(group);
                }

                break;
            case LabelEntry label:
                writer.Write((byte)Kind.Label);
                writer.Write(label.Stream);
                writer.Write(label.IncidentId);
                writer.Write((sbyte)(label.Label is { } said ? (int)said : -1));
                writer.Write(label.Note);
                Write(writer, label.Now);
                break;
            case AcceptEntry accept:
                writer.Write((byte)Kind.Accept);
                writer.Write(accept.Stream);
                Write(writer, accept.Now);
                break;
            case MaintenanceEntry maintenance:
                writer.Write((byte)Kind.Maintenance);
                Write(writer, maintenance.Windows);
                break;
            case ForgetEntry forget:
                writer.Write((byte)Kind.Forget);
                writer.Write(forget.Stream);
                Write(writer, forget.Now);
                break;
            case LimitsEntry limits:
                writer.Write((byte)Kind.Limits);
                Write(writer, limits.Limits);
                writer.Write(limits.Limits.IsFormByNeed);
                break;
            case TermsEntry terms:
                writer.Write((byte)Kind.Terms);
                Write(writer, terms.Terms);
                break;
            case AcknowledgeEntry acknowledge:
                writer.Write((byte)Kind.Acknowledge);
                writer.Write(acknowledge.IncidentId);
                writer.Write(acknowledge.By);
                writer.Write(acknowledge.Note);
                Write(writer, acknowledge.Now);
                break;
            case VoidEntry:
                writer.Write((byte)Kind.Void);
                break;
            default:
                throw new ArgumentException($"{entry.GetType().Name} is not written down", nameof(entry));
        }

        writer.Flush();
        return buffer.ToArray();
    }

    /// <summary>Entries of versions that only the retrainer swapped in end before the reason, those of versions without groups before the group.</summary>
    private static ModelSwap ReadSwap(BinaryReader reader)
    {
        var swap = new ModelSwap(reader.ReadInt64(), ReadTime(reader), Loss(reader), Loss(reader), reader.ReadInt32(), reader.ReadString());
        swap = IsAtEnd(reader) ? swap : swap with { Reason = (SwapReason)reader.ReadByte(), By = reader.ReadString() };
        return IsAtEnd(reader) ? swap : swap with { Group = reader.ReadString() };
    }

    private static bool IsAtEnd(BinaryReader reader) => reader.BaseStream.Position == reader.BaseStream.Length;

    private static double? Loss(BinaryReader reader) => reader.ReadDouble() is var loss && double.IsNaN(loss) ? null : loss;

    /// <exception cref="InvalidDataException">It was written by a version that knows more.</exception>
    public static Entry Read(ReadOnlyMemory<byte> bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes.ToArray(), writable: false), Encoding.UTF8);
        var kind = (Kind)reader.ReadByte();
        return kind switch
        {
            Kind.Observations => new ObservationsEntry(ReadBatch(reader)),
            Kind.ObservationsWithReceipt => Receipt.Read(reader) is var receipt
                ? new ObservationsEntry(ReadBatch(reader) with { Receipt = receipt }) : throw new InvalidDataException("no receipt"),
            Kind.Tick => new TickEntry(
                ReadTime(reader), new TimeSpan(reader.ReadInt64()),
                [.. Many(reader, () => new RejectedCount(reader.ReadString(), (RejectionReason)reader.ReadByte(), reader.Read7BitEncodedInt64()))]),
            Kind.Swap => new SwapEntry(ReadSwap(reader)),
            Kind.Label => new LabelEntry(
                reader.ReadString(), reader.ReadString(), reader.ReadSByte() is >= 0 and var label ? (IncidentLabel)label : null, reader.ReadString(), ReadTime(reader)),
            Kind.Accept => new AcceptEntry(reader.ReadString(), ReadTime(reader)),
            Kind.Maintenance => new MaintenanceEntry(ReadWindows(reader)),
            Kind.Forget => new ForgetEntry(reader.ReadString(), ReadTime(reader)),
            // Entries of before end behind the bounds.
            Kind.Limits => new LimitsEntry(ReadLimits(reader) with { IsFormByNeed = reader.BaseStream.Position < reader.BaseStream.Length && reader.ReadBoolean() }),
            Kind.Terms => new TermsEntry(ReadTerms(reader)),
            Kind.Acknowledge => new AcknowledgeEntry(reader.ReadString(), reader.ReadString(), reader.ReadString(), ReadTime(reader)),
            Kind.Void => new VoidEntry(),
            _ => throw new InvalidDataException($"journal entry of kind {(byte)kind}, expected 1 to 12: a later version wrote it"),
        };
    }

    public static void Write(BinaryWriter writer, StreamLimits limits)
    {
        writer.Write(limits.Streams);
        writer.Write(limits.OwnWeights);
        writer.Write(limits.Bytes);
        writer.Write(limits.IdleAfter.Ticks);
    }

    public static StreamLimits ReadLimits(BinaryReader reader) =>
        new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64(), new TimeSpan(reader.ReadInt64()));

    public static void Write(BinaryWriter writer, AlertTerms terms)
    {
        writer.Write(terms.CleanRowsPerAlert);
        writer.Write(terms.CleanDaysPerAlert);
        writer.Write7BitEncodedInt(terms.Rules.Count);

        foreach (AlertRule rule in terms.Rules)
        {
            writer.Write(rule.Streams);
            writer.Write(rule.MinDeviation);
            writer.Write(rule.MinRelativeDeviation);
            writer.Write((byte)rule.Direction);
            writer.Write((byte)rule.Rows);
            writer.Write((byte)rule.RowsOf);
            writer.Write(rule.Cooldown.Ticks);
            writer.Write((byte)rule.SeverityMin);
            writer.Write7BitEncodedInt(rule.Budget);
            writer.Write(rule.BudgetPer.Ticks);
            writer.Write(rule.Group);
            writer.Write7BitEncodedInt(rule.AcceptAfter);
        }
    }

    public static AlertTerms ReadTerms(BinaryReader reader)
    {
        (double rows, double days) = (reader.ReadDouble(), reader.ReadDouble());
        return new AlertTerms(
            [
                .. Many(reader, () => new AlertRule
                {
                    Streams = reader.ReadString(),
                    MinDeviation = reader.ReadDouble(),
                    MinRelativeDeviation = reader.ReadDouble(),
                    Direction = (AlertDirection)reader.ReadByte(),
                    Rows = reader.ReadByte(),
                    RowsOf = reader.ReadByte(),
                    Cooldown = new TimeSpan(reader.ReadInt64()),
                    SeverityMin = (IncidentSeverity)reader.ReadByte(),
                    Budget = reader.Read7BitEncodedInt(),
                    BudgetPer = new TimeSpan(reader.ReadInt64()),
                    Group = reader.ReadString(),
                    AcceptAfter = reader.Read7BitEncodedInt(),
                }),
            ],
            rows,
            days);
    }

    public static void Write(BinaryWriter writer, IReadOnlyList<MaintenanceWindow> windows)
    {
        writer.Write7BitEncodedInt(windows.Count);

        foreach (MaintenanceWindow window in windows)
        {
            writer.Write(window.Id);
            writer.Write(window.Streams);
            Write(writer, window.From);
            Write(writer, window.To);
            writer.Write7BitEncodedInt(window.Days.Count);

            foreach (DayOfWeek day in window.Days)
            {
                writer.Write((byte)day);
            }

            writer.Write(window.Start.Ticks);
            writer.Write(window.End.Ticks);
            writer.Write(window.TimeZone.Id);
            writer.Write(window.MuteAlerts);
            writer.Write(window.FreezeLearning);
            writer.Write(window.Note);
        }
    }

    public static IReadOnlyList<MaintenanceWindow> ReadWindows(BinaryReader reader) =>
    [
        .. Many(reader, () => new MaintenanceWindow
        {
            Id = reader.ReadString(),
            Streams = reader.ReadString(),
            From = ReadTime(reader),
            To = ReadTime(reader),
            Days = [.. Many(reader, () => (DayOfWeek)reader.ReadByte())],
            Start = new TimeOnly(reader.ReadInt64()),
            End = new TimeOnly(reader.ReadInt64()),
            TimeZone = TimeZoneInfo.FindSystemTimeZoneById(reader.ReadString()),
            MuteAlerts = reader.ReadBoolean(),
            FreezeLearning = reader.ReadBoolean(),
            Note = reader.ReadString(),
        }),
    ];

    private static void Write(BinaryWriter writer, ObservationBatch batch)
    {
        ReadOnlySpan<Observation> observations = batch.Observations.Span;
        var names = new Names(writer);
        writer.Write(batch.Source);
        Write(writer, batch.IngestedAt);
        writer.Write(batch.Position?.Of ?? "");
        writer.Write(batch.Position?.At ?? "");
        writer.Write7BitEncodedInt(observations.Length);

        foreach (ref readonly Observation observation in observations)
        {
            names.Write(observation.Stream);
            Write(writer, observation.Time);

            if (observation.Record is { } record)
            {
                writer.Write((byte)Form.Record);
                writer.Write7BitEncodedInt(record.Columns.Count);

                for (int column = 0; column < record.Columns.Count; column++)
                {
                    names.Write(record.Columns[column]);
                    writer.Write(record.Values[column]);
                }
            }
            else if (observation.Event is { } what)
            {
                writer.Write((byte)Form.Event);
                writer.Write(what.Text);
                writer.Write(what.Key is not null);
                writer.Write(what.Key ?? "");
                writer.Write((byte)((what.IsKind ? EventIsKind : 0) | (what.IsCharacters ? EventIsCharacters : 0) | (what.IsWords ? EventIsWords : 0)));
            }
            else
            {
                writer.Write((byte)Form.Value);
                writer.Write(observation.Value);
            }
        }
    }

    private static ObservationBatch ReadBatch(BinaryReader reader)
    {
        string source = reader.ReadString();
        DateTimeOffset ingestedAt = ReadTime(reader);
        string of = reader.ReadString(), at = reader.ReadString();
        List<string> names = [];
        string[] columns = [];
        Observation[] observations = [.. Many(reader, () =>
        {
            string stream = Name();
            DateTimeOffset time = ReadTime(reader);

            switch ((Form)reader.ReadByte())
            {
                case Form.Value:
                    return new Observation(stream, time, reader.ReadDouble());
                case Form.Event:
                    string text = reader.ReadString();
                    bool hasKey = reader.ReadBoolean();
                    string key = reader.ReadString();
                    byte marks = reader.ReadByte();
                    return Observation.Of(stream, time, new TextEvent(text, hasKey ? key : null, (marks & EventIsKind) != 0)
                    {
                        IsCharacters = (marks & EventIsCharacters) != 0,
                        IsWords = (marks & EventIsWords) != 0,
                    });
                default:
                    int count = reader.Read7BitEncodedInt();
                    string[] read = new string[count];
                    double[] values = new double[count];

                    for (int i = 0; i < count; i++)
                    {
                        (read[i], values[i]) = (Name(), reader.ReadDouble());
                    }

                    // Records in a row that have the same columns share their names, as when they were decoded.
                    columns = columns.AsSpan().SequenceEqual(read) ? columns : read;
                    return Observation.Of(stream, time, new ObservedRecord(columns, values));
            }
        })];
        return new ObservationBatch(source, observations, ingestedAt) { Position = of.Length == 0 ? null : new SourcePosition(of, at) };

        string Name()
        {
            int known = reader.Read7BitEncodedInt();

            if (known == names.Count)
            {
                names.Add(reader.ReadString());
            }

            return names[known];
        }
    }

    private static IEnumerable<T> Many<T>(BinaryReader reader, Func<T> one)
    {
        for (int left = reader.Read7BitEncodedInt(); left > 0; left--)
        {
            yield return one();
        }
    }

    // The offset too: it is part of what is told of a record's time.
    private static void Write(BinaryWriter writer, DateTimeOffset time)
    {
        writer.Write(time.Ticks);
        writer.Write((short)time.TotalOffsetMinutes);
    }

    private static DateTimeOffset ReadTime(BinaryReader reader) =>
        new(reader.ReadInt64(), TimeSpan.FromMinutes(reader.ReadInt16()));

    /// <summary>Writes a name at its first place, and its number at the others.</summary>
    private readonly struct Names(BinaryWriter writer)
    {
        private readonly Dictionary<string, int> _known = new(StringComparer.Ordinal);

        public void Write(string? name)
        {
            name ??= "";

            if (_known.TryGetValue(name, out int known))
            {
                writer.Write7BitEncodedInt(known);
                return;
            }

            writer.Write7BitEncodedInt(_known.Count);
            writer.Write(name);
            _known.Add(name, _known.Count);
        }
    }
}

using StreamLstm.Detection.Judging;

namespace StreamLstm.Detection.Deciding;

/// <summary>One incident, as far as a label needs it.</summary>
internal sealed class RememberedIncident(string id, long openedRow, bool isSilence, int channels)
{
    public string Id { get; } = id;

    public long OpenedRow { get; } = openedRow;

    public bool IsSilence { get; } = isSilence;

    /// <summary>The row behind its last.</summary>
    public long EndRow { get; set; } = openedRow;

    /// <summary>How long a silence lasted, as far as it is known.</summary>
    public double QuietSeconds { get; set; }

    public IncidentLabel? Label { get; set; }

    /// <summary>(channels): the highest value of each indicator during it.</summary>
    public double[] Levels { get; private set; } = new double[channels];

    /// <summary>(channels): the highest calibrated score of each, in decades.</summary>
    public double[] Scores { get; private set; } = NewScores(channels);

    /// <summary>Takes another order of indicators.</summary>
    /// <param name="from">The place of each before; -1 for none.</param>
    public void Exchange(int[] from)
    {
        Levels = [.. from.Select(old => old < 0 ? 0 : Levels[old])];
        Scores = [.. from.Select(old => old < 0 ? Judgement.Unknown : Scores[old])];
    }

    private static double[] NewScores(int channels)
    {
        var scores = new double[channels];
        Array.Fill(scores, Judgement.Unknown);
        return scores;
    }
}

/// <summary>A stream's last incidents, so that a person's label on one can change what comes.</summary>
/// <remarks>
/// The last 16, and the last 32 that have a label: at most 20 KiB a stream of values, nothing before the first incident. What is called
/// ordinary follows from those that are held: it ends when the label is taken back, and when 32 later ones have displaced it.
/// </remarks>
/// <param name="channels">The most indicators that the stream is judged by.</param>
internal sealed class IncidentMemory(int channels)
{
    private const int UnlabelledMax = 16;
    private const int LabelledMax = 32;

    /// <summary>An indicator carried an alert when its score came to this: a tenth of a comparable event was to be expected.</summary>
    private const double CarriedScore = 1;

    /// <summary>A silence that was a false alarm may be longer by this the next time.</summary>
    private const double QuietMargin = 1.1;

    private readonly List<RememberedIncident> _incidents = [];
    private int _channels = channels;

    /// <summary>A silence shorter than this is ordinary, as labels say; 0 without such a label.</summary>
    public double OrdinaryQuietSeconds { get; private set; }

    public RememberedIncident? Find(string id) => _incidents.FindLast(incident => incident.Id == id);

    /// <summary>The last silence, where it began with a row; null where there was none.</summary>
    public RememberedIncident? SilenceAt(long row) => _incidents.FindLast(incident => incident.IsSilence && incident.OpenedRow == row);

    /// <summary>The incident that a row is part of; null for none.</summary>
    public RememberedIncident? Of(long row) =>
        _incidents.FindLast(incident => !incident.IsSilence && incident.OpenedRow <= row && row < incident.EndRow);

    /// <summary>Follows the open incident by one row.</summary>
    /// <param name="open">The incident.</param>
    /// <param name="row">The row.</param>
    /// <param name="values">(channels): the indicators.</param>
    /// <param name="scores">(channels), in decades.</param>
    public void Follow(Incident open, long row, ReadOnlySpan<double> values, ReadOnlySpan<double> scores)
    {
        RememberedIncident incident = Newest(open, isSilence: false);
        incident.EndRow = row + 1;

        for (int channel = 0; channel < values.Length; channel++)
        {
            incident.Levels[channel] = Math.Max(incident.Levels[channel], values[channel]);
            incident.Scores[channel] = Math.Max(incident.Scores[channel], scores[channel]);
        }
    }

    /// <summary>Follows a silence.</summary>
    public void FollowSilence(Incident open, double quietSeconds) => Extend(Newest(open, isSilence: true), quietSeconds);

    /// <summary>The stream is judged by other indicators from now on: what the same ones came to stays.</summary>
    /// <param name="before">What they were called.</param>
    /// <param name="after">What they are called.</param>
    /// <param name="count">The most there are.</param>
    public void Exchange(IndicatorWords before, IndicatorWords after, int count)
    {
        int[] from = [.. Enumerable.Range(0, count).Select(channel => Enumerable.Range(0, _channels).FirstOrDefault(old => before.Name(old) == after.Name(channel), -1))];
        _channels = count;
        _incidents.ForEach(incident => incident.Exchange(from));
    }

    /// <summary>A silence has lasted so long.</summary>
    public void Extend(RememberedIncident incident, double quietSeconds)
    {
        incident.QuietSeconds = Math.Max(incident.QuietSeconds, quietSeconds);
        FindOrdinaryQuiet();
    }

    /// <summary>Writes down what a label taught: the level of each indicator that is ordinary, 0 for none.</summary>
    /// <param name="levels">(channels).</param>
    public void OrdinaryLevels(Span<double> levels)
    {
        levels.Clear();

        foreach (RememberedIncident incident in _incidents)
        {
            for (int channel = 0; incident is { Label: IncidentLabel.FalseAlarm, IsSilence: false } && channel < levels.Length; channel++)
            {
                if (incident.Scores[channel] >= CarriedScore)
                {
                    levels[channel] = Math.Max(levels[channel], incident.Levels[channel]);
                }
            }
        }
    }

    /// <summary>The same in another order of indicators.</summary>
    /// <param name="levels">(channels of that order).</param>
    /// <param name="words">What they are called in it.</param>
    /// <param name="own">What they are called here.</param>
    public void OrdinaryLevels(Span<double> levels, IndicatorWords words, IndicatorWords own)
    {
        Span<double> known = stackalloc double[_channels];
        OrdinaryLevels(known);
        levels.Clear();

        for (int channel = 0; channel < levels.Length; channel++)
        {
            for (int old = 0; old < _channels; old++)
            {
                levels[channel] = own.Name(old) == words.Name(channel) ? known[old] : levels[channel];
            }
        }
    }

    /// <summary>Sets an incident's label, or takes it back with null.</summary>
    /// <param name="incidentId">The incident's id.</param>
    /// <param name="label">What it was.</param>
    /// <param name="changed">The incident; null where it had that label already.</param>
    /// <returns>False where it is not one of this stream's, or known no more.</returns>
    public bool TryLabel(string incidentId, IncidentLabel? label, out RememberedIncident? changed)
    {
        changed = null;

        if (Find(incidentId) is not { } incident)
        {
            return false;
        }

        if (incident.Label != label)
        {
            changed = incident;
            incident.Label = label;
            Forget(labelled: true, LabelledMax);
            FindOrdinaryQuiet();
        }

        return true;
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_incidents.Count);

        foreach (RememberedIncident incident in _incidents)
        {
            writer.Write(incident.Id);
            writer.Write(incident.OpenedRow);
            writer.Write(incident.IsSilence);
            writer.Write(incident.EndRow);
            writer.Write(incident.QuietSeconds);
            writer.Write((sbyte)(incident.Label is { } label ? (int)label : -1));

            foreach (double value in incident.Levels.Concat(incident.Scores))
            {
                writer.Write(value);
            }
        }
    }

    public void Load(BinaryReader reader)
    {
        int count = reader.ReadInt32();

        if (count is < 0 or > UnlabelledMax + LabelledMax)
        {
            throw new InvalidDataException($"incidents: {count}, expected 0 to {UnlabelledMax + LabelledMax}");
        }

        for (; count > 0; count--)
        {
            var incident = new RememberedIncident(reader.ReadString(), reader.ReadInt64(), reader.ReadBoolean(), _channels)
            {
                EndRow = reader.ReadInt64(),
                QuietSeconds = reader.ReadDouble(),
            };
            int label = reader.ReadSByte();
            incident.Label = label < 0 ? null : (IncidentLabel)label;

            for (int channel = 0; channel < _channels; channel++)
            {
                incident.Levels[channel] = reader.ReadDouble();
            }

            for (int channel = 0; channel < _channels; channel++)
            {
                incident.Scores[channel] = reader.ReadDouble();
            }

            _incidents.Add(incident);
        }

        FindOrdinaryQuiet();
    }

    private RememberedIncident Newest(Incident open, bool isSilence)
    {
        if (_incidents.Count == 0 || _incidents[^1].Id != open.Id)
        {
            _incidents.Add(new RememberedIncident(open.Id, open.OpenedRow, isSilence, _channels));
            Forget(labelled: false, UnlabelledMax);
        }

        return _incidents[^1];
    }

    private void Forget(bool labelled, int most)
    {
        if (_incidents.Count(incident => incident.Label is not null == labelled) > most)
        {
            _incidents.RemoveAt(_incidents.FindIndex(incident => incident.Label is not null == labelled));
        }
    }

    private void FindOrdinaryQuiet() =>
        OrdinaryQuietSeconds = QuietMargin * _incidents
            .Where(incident => incident is { Label: IncidentLabel.FalseAlarm, IsSilence: true })
            .Select(incident => incident.QuietSeconds)
            .DefaultIfEmpty(0)
            .Max();
}

using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>Judges lines of text, character by character.</summary>
/// <remarks>
/// What a line says is how unlikely its characters were, each after all before it, those of earlier lines among them as far as h
/// and c carry them (<see cref="TextNetwork"/>). Against clean lines of the stream itself it is held as a whole, at its least
/// likely character, at its least likely four, and with the lines before it (<see cref="TextChannelBank"/>). The network learns
/// from every normal line and no other; h and c go on through all of them, as what comes next comes after what came.
/// </remarks>
internal sealed class TextJudge : IJudge
{
    /// <summary>Characters of a line that are judged: what comes behind them is not read, so that no line takes long.</summary>
    public const int CharactersMax = 256;

    private const int StretchCharacters = 4;
    private const int ShownMax = 120;
    private const double DaySeconds = 86_400;

    /// <summary>Characters over which it is known how surprising one usually is.</summary>
    private const double UsualCharacters = 20_000;

    /// <summary>Standard deviations beyond the mean from which a character is marked as odd.</summary>
    private const double OddDeviations = 2;

    private readonly Func<AlertTerms> _terms;
    private readonly DetectionOptions _options;
    private readonly TextNetwork _network = new();
    private readonly TextPieces _pieces = new();
    private readonly TextChannelBank _channels = new();
    private readonly Settling _settling = new();
    private readonly Dictionary<Rune, byte> _placeOf = [];
    private readonly List<Rune> _runes = [];                                     // of the line at hand
    private readonly byte[] _places = new byte[CharactersMax + 2];               // boundary, characters, boundary
    private readonly float[] _surprises = new float[CharactersMax + 1];
    private readonly byte[] _expected = new byte[CharactersMax + 1];
    private readonly float[] _chances = new float[CharactersMax + 1];
    private readonly float[] _state = new float[TextNetwork.StateSize];
    private readonly float[] _forecast = new float[TextNetwork.Places];
    private readonly bool _ownWeights;
    private SeededRandom _random;
    private double _line;                                                        // what the line at hand said, in standard deviations
    private double _count, _sum, _squares;                                       // of characters' surprise
    private DateTimeOffset _lastTime;
    private double _dayRows, _daySeconds;

    /// <param name="stream">The stream's name.</param>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="terms">What is asked of alerts at present.</param>
    /// <param name="ownWeights">Whether it has one of the places for weights; it learns its own in any case, as no others could stand for them.</param>
    public TextJudge(string stream, DetectionOptions options, Func<AlertTerms> terms, bool ownWeights)
    {
        (_terms, _options, _ownWeights) = (terms, options, ownWeights);
        _random = SeededRandom.Of(stream, options.Seed);
    }

    public long Rows { get; private set; }

    public (long Rows, long Needed) WarmUp => (Rows, _options.Events.WarmUpEvents);

    public bool IsLearning => Rows < _options.Events.LearningEvents;

    public (long Left, long Of) Rewarming => default;

    public int CadenceRows => _options.Events.WarmUpEvents;

    public bool TakesAnyTime => true;

    public bool HasOwnWeights => _ownWeights;

    public double Threshold => Math.Log10(Math.Max(
        _terms().CleanRowsPerAlert,
        _daySeconds >= 1 ? _dayRows / _daySeconds * DaySeconds * _terms().CleanDaysPerAlert : 0));

    public bool IsSettled => _settling.IsSettled;

    public int StableWindows => _settling.StableWindows;

    public int Indicators => TextChannelBank.Count;

    public IndicatorWords Words => TextChannelBank.Words;

    public Judgement Last { get; } = new(TextChannelBank.Count);

    private double UsualSurprise => _count > 0 ? _sum / _count : 0;

    private double Deviation => _count > 1 ? Math.Sqrt(Math.Max(1e-6, _squares / _count - UsualSurprise * UsualSurprise)) : 1;

    /// <summary>How unlikely each character of the line judged last was, and at the end that it ended there, in nats: (characters + 1).</summary>
    public ReadOnlySpan<float> Surprises => _surprises.AsSpan(0, _runes.Count + 1);

    public RejectionReason? Admit(in Observation observation) =>
        string.IsNullOrWhiteSpace(observation.Event!.Text) ? RejectionReason.Malformed : null;

    public bool IsSame(in Observation observation) => false;

    public void Arrive(in Arrival arrival)
    {
    }

    public void Pass(in Observation observation)
    {
        Last.Clear();
        Last.Template = Shown(observation.Event!.Text);
    }

    public void TakeNoticeOf(BaseModel model, DetectionScratch scratch)
    {
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        string text = observation.Event!.Text;
        Read(text);
        double sum = Weigh(circumstances.Scratch.Texts, out double peak, out double stretch);
        int steps = _runes.Count + 1;
        _line = (sum - steps * UsualSurprise) / (Deviation * Math.Sqrt(steps));
        Last.Clear();
        Last.IsJudged = !IsLearning;
        Last.Value = sum / steps;
        Last.Kind = IncidentKind.Text;
        Last.Template = Shown(text);
        Last.IsAsForecast = _line <= 1;

        if (Last.IsJudged)
        {
            _channels.Judge(_line, peak, stretch, Last);
            // The same line again is the same thing; other odd lines are others.
            Last.Likeness = (int)SeededRandom.Of(text, seed: 0).State & int.MaxValue;
        }
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        TextScratch scratch = circumstances.Scratch.Texts;
        Rows++;
        bool learns = lesson <= Lesson.Suspicious;
        _settling.Observe([Last.Value], isOrdinary: lesson is Lesson.Normal or Lesson.Frozen, isAsForecast: Last.IsAsForecast);

        if (Last.IsJudged)
        {
            _channels.Remember(_line, Last.Values, learns);
        }

        double stays = Rows == 1 ? 1 : Math.Exp(Math.Min(0, (_lastTime - circumstances.Time).TotalSeconds) / DaySeconds);
        _lastTime = circumstances.Time;
        (_dayRows, _daySeconds) = (_dayRows * stays + (learns ? 1 : 0), _daySeconds * stays + (1 - stays) * DaySeconds);

        Follow(lesson == Lesson.Normal, scratch);

        if (lesson == Lesson.Normal)
        {
            TakeUsual();
            Learn(circumstances, scratch);
        }
    }

    public void Spare(long firstRow, long endRow) => _channels.Spare(Rows - firstRow);

    public void Accept(long firstRow, long endRow)
    {
    }

    public void Ordinary(ReadOnlySpan<double> levels) => _channels.Ordinary(levels);

    public string Sentence()
    {
        int odd = TensorPrimitives.IndexOfMax(Surprises);
        string after = odd < _runes.Count ? $"'{_runes[odd]}'" : "the end of the line";
        string place = odd == 0 ? "at the beginning" : $"after '{Between(Math.Max(0, odd - 6), odd)}'";
        string instead = _expected[odd] == TextNetwork.Boundary ? "the end" : NameOf(_expected[odd]) is { } rune ? $"'{rune}'" : "another character";
        string peak = string.Create(
            CultureInfo.InvariantCulture,
            $"{after} {place} had a chance of 1 in {Figures.Of(Math.Round(Math.Exp(Math.Min(_surprises[odd], 30))))}, expected {instead} ({100 * _chances[odd]:0} %)");
        string line = string.Create(
            CultureInfo.InvariantCulture, $"'{Marked()}' is {Last.Value:0.00} nats a character, usually {UsualSurprise:0.00}");
        return (TextChannel)Math.Max(0, Last.Strongest) switch
        {
            TextChannel.Run => $"the last lines are unlikely together, at the end {line}; {peak}",
            _ => $"{line}; {peak}",
        };
    }

    /// <summary>Over the characters of the line judged last, from no memory of those before it.</summary>
    public GateTrace? Gates()
    {
        if (Rows == 0)
        {
            return null;
        }

        var inputs = new float[(_runes.Count + 1) * TextNetwork.Places];

        for (int step = 0; step <= _runes.Count; step++)
        {
            inputs[step * TextNetwork.Places + _places[step]] = 1;
        }

        return GateTrace.Of(_network.Weights, inputs, new float[TextNetwork.StateSize]);
    }

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) =>
        new(isLast && Last.IsJudged ? $"'{Marked()}'" : $"'{template}'", Columns: null);

    public void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        writer.Write(_random.State);
        writer.Write(_lastTime.UtcTicks);

        foreach (double number in (ReadOnlySpan<double>)[_dayRows, _daySeconds, _count, _sum, _squares, _line])
        {
            writer.Write(number);
        }

        Last.Save(writer);
        _settling.Save(writer);
        writer.Write(_placeOf.Count);

        foreach ((Rune rune, byte place) in _placeOf.OrderBy(pair => pair.Value))
        {
            writer.Write(rune.Value);
            writer.Write(place);
        }

        foreach (float part in _state)
        {
            writer.Write(part);
        }

        // What may be asked of the last line before the next one comes.
        writer.Write(_runes.Count);

        for (int i = 0; i <= _runes.Count; i++)
        {
            writer.Write(i < _runes.Count ? _runes[i].Value : 0);
            writer.Write(_surprises[i]);
            writer.Write(_expected[i]);
            writer.Write(_chances[i]);
        }

        _network.Save(writer);
        _pieces.Save(writer);
        _channels.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        Rows = reader.ReadInt64();
        _random = new SeededRandom(reader.ReadUInt64());
        _lastTime = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        (_dayRows, _daySeconds, _count) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_sum, _squares, _line) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        Last.Load(reader);
        _settling.Load(reader);
        _placeOf.Clear();

        for (int left = reader.ReadInt32(); left > 0; left--)
        {
            Rune rune = RuneOf(reader.ReadInt32());
            _placeOf.Add(rune, reader.ReadByte());
        }

        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = reader.ReadSingle();
        }

        int characters = reader.ReadInt32();

        if (characters is < 0 or > CharactersMax)
        {
            throw new InvalidDataException($"text: a line of {characters} characters, expected at most {CharactersMax}");
        }

        _runes.Clear();

        for (int i = 0; i <= characters; i++)
        {
            Rune rune = RuneOf(reader.ReadInt32());
            (_surprises[i], _expected[i], _chances[i]) = (reader.ReadSingle(), reader.ReadByte(), reader.ReadSingle());

            if (i < characters)
            {
                _runes.Add(rune);
                _places[i + 1] = _placeOf.GetValueOrDefault(rune, TextNetwork.Other);
            }
        }

        (_places[0], _places[characters + 1]) = (TextNetwork.Boundary, TextNetwork.Boundary);
        _network.Load(reader);
        _pieces.Load(reader);
        _channels.Load(reader);
        return true;
    }

    private static Rune RuneOf(int value) => Rune.IsValid(value)
        ? new Rune(value)
        : throw new InvalidDataException($"text: character {value}, expected a Unicode scalar value");

    private static string Shown(string text) => text.Length <= ShownMax
        ? text
        : $"{text[..(char.IsHighSurrogate(text[ShownMax - 1]) ? ShownMax - 1 : ShownMax)]}...";

    private void Read(string text)
    {
        _runes.Clear();
        _places[0] = TextNetwork.Boundary;

        foreach (Rune rune in text.EnumerateRunes())
        {
            if (_runes.Count == CharactersMax)
            {
                break;
            }

            _runes.Add(rune);
            _places[_runes.Count] = _placeOf.GetValueOrDefault(rune, TextNetwork.Other);
        }

        _places[_runes.Count + 1] = TextNetwork.Boundary;
    }

    /// <summary>How unlikely each character was; changes nothing but what is said of the line.</summary>
    private double Weigh(TextScratch scratch, out double peak, out double stretch)
    {
        double sum = 0, last = 0;
        (peak, stretch) = (0, 0);
        _state.CopyTo(scratch.State, 0);
        Span<float> forecast = _forecast.AsSpan(0, _network.Used);

        for (int step = 0; step <= _runes.Count; step++)
        {
            _network.Step(_places[step], scratch.State, forecast, scratch);
            byte came = _places[step + 1];
            float surprise = _surprises[step] = _network.Surprise(forecast, came);
            int likeliest = TensorPrimitives.IndexOfMax(forecast);
            (_expected[step], _chances[step]) = ((byte)likeliest, forecast[likeliest]);
            sum += surprise;
            last += surprise - (step >= StretchCharacters ? _surprises[step - StretchCharacters] : 0);
            peak = Math.Max(peak, surprise);
            stretch = Math.Max(stretch, last);
        }

        return sum;
    }

    /// <summary>h and c go on through the line; a normal one's new characters get places, and it is there to learn from.</summary>
    private void Follow(bool isNormal, TextScratch scratch)
    {
        for (int i = 0; i < _runes.Count && isNormal; i++)
        {
            if (_places[i + 1] == TextNetwork.Other && !_placeOf.TryGetValue(_runes[i], out _places[i + 1]))
            {
                _places[i + 1] = _network.Open();

                if (_places[i + 1] != TextNetwork.Other)
                {
                    _placeOf.Add(_runes[i], _places[i + 1]);
                }
            }
        }

        int steps = _runes.Count + 1;
        Span<float> forecast = _forecast.AsSpan(0, _network.Used);

        for (int step = 0; step < steps; step++)
        {
            if (isNormal)
            {
                _pieces.Add(_places[step], _places[step + 1], _state);
            }

            _network.Step(_places[step], _state, forecast, scratch);
        }

        if (isNormal)
        {
            _network.Count(steps);
        }
        else
        {
            _pieces.Break();
        }

        if (!TensorPrimitives.IsFiniteAll<float>(_state))
        {
            Array.Clear(_state);
        }
    }

    private void TakeUsual()
    {
        foreach (float surprise in Surprises)
        {
            double stays = 1 - 1 / UsualCharacters;
            (_count, _sum, _squares) = (_count * stays + 1, _sum * stays + surprise, _squares * stays + (double)surprise * surprise);
        }
    }

    /// <summary>One small step a line at first, and less often later: what is well known moves slowly, and most of the cost is here.</summary>
    private void Learn(in Circumstances circumstances, TextScratch scratch)
    {
        if (Rows % (Rows < 16_384 ? 1 : Rows < 65_536 ? 2 : 4) != 0 || _pieces.Count < TextNetwork.BatchPieces)
        {
            return;
        }

        Span<int> batch = stackalloc int[TextNetwork.BatchPieces];

        for (int i = 0; i < batch.Length; i++)
        {
            batch[i] = _pieces.ByAge(i == 0 ? 0 : _random.Next(_pieces.Count));
        }

        if (!_network.Train(_pieces, batch, scratch))
        {
            circumstances.Output.TrainingStepsUndone++;
        }
    }

    private Rune? NameOf(byte place)
    {
        foreach ((Rune rune, byte known) in _placeOf)
        {
            if (known == place)
            {
                return rune;
            }
        }

        return null;
    }

    private string Between(int first, int end) => string.Concat(_runes[first..end].Select(rune => rune.ToString()));

    /// <summary>The line with what is odd of it in brackets.</summary>
    private string Marked()
    {
        float most = TensorPrimitives.Max(Surprises);
        double odd = Math.Min(most, UsualSurprise + OddDeviations * Deviation);
        var text = new StringBuilder();
        bool isOpen = false;

        for (int i = 0; i < Math.Min(_runes.Count, ShownMax); i++)
        {
            if (_surprises[i] >= odd != isOpen)
            {
                text.Append(isOpen ? ']' : '[');
                isOpen = !isOpen;
            }

            text.Append(_runes[i].ToString());
        }

        return text.Append(isOpen ? "]" : "").Append(_runes.Count > ShownMax ? "..." : "").ToString();
    }
}

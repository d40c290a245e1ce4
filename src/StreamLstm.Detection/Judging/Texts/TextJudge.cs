using System.Globalization;
using System.Numerics.Tensors;
using System.Text;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Learning;
using StreamLstm.Model;

namespace StreamLstm.Detection.Judging.Texts;

/// <summary>Judges lines of text, token by token: by their characters, or by their words (<see cref="TextTokens"/>).</summary>
/// <remarks>
/// What a line says is how unlikely its tokens were, each after all before it, those of earlier lines among them as far as h
/// and c carry them (<see cref="TextNetwork"/>). Against clean lines of the stream itself it is held as a whole, at its least
/// likely token, at its least likely four, and with the lines before it (<see cref="TextChannelBank"/>). The network learns
/// from every normal line and no other; h and c go on through all of them, as what comes next comes after what came.
/// </remarks>
internal sealed class TextJudge : IJudge
{
    private const int StretchTokens = 4;
    private const int ShownMax = 120;

    /// <summary>Characters of one token that are shown.</summary>
    private const int ShownOfTokenMax = 48;
    private const double DaySeconds = 86_400;

    /// <summary>Tokens over which it is known how surprising one usually is.</summary>
    private const double UsualTokens = 20_000;

    /// <summary>Standard deviations beyond the mean from which a token is marked as odd.</summary>
    private const double OddDeviations = 2;

    private readonly Func<AlertTerms> _terms;
    private readonly DetectionOptions _options;
    private readonly LstmShape _shape;
    private readonly TextTokens _tokens;
    private readonly TextNetwork _network;
    private readonly TextPieces _pieces;
    private readonly TextChannelBank _channels;
    private readonly Settling _settling = new();
    private readonly byte[] _places = new byte[TextTokens.TokensMax + 2];        // boundary, tokens, boundary
    private readonly float[] _surprises = new float[TextTokens.TokensMax + 1];
    private readonly byte[] _expected = new byte[TextTokens.TokensMax + 1];
    private readonly float[] _chances = new float[TextTokens.TokensMax + 1];
    private readonly float[] _state;
    private readonly float[] _forecast;
    private readonly bool _ownWeights;
    private SeededRandom _random;
    private double _line;                                                        // what the line at hand said, in standard deviations
    private double _count, _sum, _squares;                                       // of tokens' surprise
    private DateTimeOffset _lastTime;
    private double _dayRows, _daySeconds;

    /// <param name="stream">The stream's name.</param>
    /// <param name="options">How streams are learnt and judged.</param>
    /// <param name="terms">What is asked of alerts at present.</param>
    /// <param name="ownWeights">Whether it has one of the places for weights; it learns its own in any case, as no others could stand for them.</param>
    /// <param name="tokens">How its lines are cut.</param>
    /// <param name="sizes">How much it may remember.</param>
    public TextJudge(string stream, DetectionOptions options, Func<AlertTerms> terms, bool ownWeights, TextTokens tokens, TextSizes sizes)
    {
        (_tokens, _shape) = (tokens, sizes.Network);
        _network = new TextNetwork(_shape, tokens.LearnsUnknown);
        _pieces = new TextPieces(_shape.StateSize, _shape.InputSize, sizes.Pieces);
        _channels = new TextChannelBank(sizes.Blocks);
        (_state, _forecast) = (new float[_shape.StateSize], new float[_shape.OutputSize]);
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

    public IndicatorWords Words => TextChannelBank.WordsOf(_tokens.Unit);

    public Judgement Last { get; } = new(TextChannelBank.Count);

    private double UsualSurprise => _count > 0 ? _sum / _count : 0;

    private double Deviation => _count > 1 ? Math.Sqrt(Math.Max(1e-6, _squares / _count - UsualSurprise * UsualSurprise)) : 1;

    /// <summary>How unlikely each token of the line judged last was, and at the end that it ended there, in nats: (tokens + 1).</summary>
    public ReadOnlySpan<float> Surprises => _surprises.AsSpan(0, _tokens.Count + 1);

    /// <summary>The line judged last, and what is known of tokens.</summary>
    public TextTokens Tokens => _tokens;

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

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        string text = observation.Event!.Text;
        _tokens.Read(text);
        Place();
        double sum = Weigh(circumstances.Scratch.Texts.Of(_shape), out double peak, out double stretch);
        int steps = _tokens.Count + 1;
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
        PlaceScratch scratch = circumstances.Scratch.Texts.Of(_shape);
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
        bool isNew = _tokens.LearnsUnknown && odd < _tokens.Count && _places[odd + 1] == TextNetwork.Other;
        string after = odd == _tokens.Count ? "the end of the line" : isNew ? $"'{Shown(odd)}', not among the words known," : $"'{Shown(odd)}'";
        string place = odd == 0 ? "at the beginning" : $"after '{End(_tokens.Between(Math.Max(0, odd - 6), odd))}'";
        string instead = _expected[odd] == TextNetwork.Boundary ? "the end" : _tokens.NameOf(_expected[odd]) is { } name ? $"'{name}'" : $"another {_tokens.Unit}";
        string peak = string.Create(
            CultureInfo.InvariantCulture,
            $"{after} {place} had a chance of 1 in {Figures.Of(Math.Round(Math.Exp(Math.Min(_surprises[odd], 30))))}, expected {instead} ({100 * _chances[odd]:0} %)");
        string line = string.Create(
            CultureInfo.InvariantCulture, $"'{Marked()}' is {Last.Value:0.00} nats a {_tokens.Unit}, usually {UsualSurprise:0.00}");
        return (TextChannel)Math.Max(0, Last.Strongest) switch
        {
            TextChannel.Run => $"the last lines are unlikely together, at the end {line}; {peak}",
            _ => $"{line}; {peak}",
        };
    }

    /// <summary>Over the tokens of the line judged last, from no memory of those before it.</summary>
    public GateTrace? Gates()
    {
        if (Rows == 0)
        {
            return null;
        }

        var inputs = new float[(_tokens.Count + 1) * _shape.InputSize];

        for (int step = 0; step <= _tokens.Count; step++)
        {
            inputs[step * _shape.InputSize + _places[step]] = 1;
        }

        return GateTrace.Of(_network.Weights, inputs, new float[_shape.StateSize]);
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
        _tokens.Save(writer);

        foreach (float part in _state)
        {
            writer.Write(part);
        }

        // What may be asked of the last line before the next one comes.
        writer.Write(_tokens.Count);

        for (int i = 0; i <= _tokens.Count; i++)
        {
            _tokens.SaveToken(writer, i);
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
        _tokens.Load(reader);

        for (int i = 0; i < _state.Length; i++)
        {
            _state[i] = reader.ReadSingle();
        }

        _tokens.LoadLine(
            reader.ReadInt32(), reader, i => (_surprises[i], _expected[i], _chances[i]) = (reader.ReadSingle(), reader.ReadByte(), reader.ReadSingle()));
        Place();
        _network.Load(reader);
        _pieces.Load(reader);
        _channels.Load(reader);
        return true;
    }

    private static string Shown(string text) => text.Length <= ShownMax
        ? text
        : $"{text[..(char.IsHighSurrogate(text[ShownMax - 1]) ? ShownMax - 1 : ShownMax)]}...";

    private void Place()
    {
        (_places[0], _places[_tokens.Count + 1]) = (TextNetwork.Boundary, TextNetwork.Boundary);

        for (int i = 0; i < _tokens.Count; i++)
        {
            _places[i + 1] = _tokens.PlaceOf(i);
        }
    }

    /// <summary>How unlikely each token was; changes nothing but what is said of the line.</summary>
    private double Weigh(PlaceScratch scratch, out double peak, out double stretch)
    {
        double sum = 0, last = 0;
        (peak, stretch) = (0, 0);
        _state.CopyTo(scratch.State, 0);
        Span<float> forecast = _forecast.AsSpan(0, _network.Used);

        for (int step = 0; step <= _tokens.Count; step++)
        {
            _network.Step(_places[step], scratch.State, forecast, scratch);
            byte came = _places[step + 1];
            float surprise = _network.Surprise(forecast, came) + (came == TextNetwork.Other ? (float)_tokens.Spelling(step) : 0);
            _surprises[step] = surprise;
            int likeliest = TensorPrimitives.IndexOfMax(forecast);
            (_expected[step], _chances[step]) = ((byte)likeliest, forecast[likeliest]);
            sum += surprise;
            last += surprise - (step >= StretchTokens ? _surprises[step - StretchTokens] : 0);
            peak = Math.Max(peak, surprise);
            stretch = Math.Max(stretch, last);
        }

        return sum;
    }

    /// <summary>h and c go on through the line; a normal one's new tokens get places, and it is there to learn from.</summary>
    private void Follow(bool isNormal, PlaceScratch scratch)
    {
        for (int i = 0; i < _tokens.Count && isNormal; i++)
        {
            // One that came twice in the line may have its place by now.
            if (_places[i + 1] != TextNetwork.Other || (_places[i + 1] = _tokens.PlaceOf(i)) != TextNetwork.Other || !_tokens.IsToOpen(i))
            {
                continue;
            }

            _places[i + 1] = _network.Open();

            if (_places[i + 1] != TextNetwork.Other)
            {
                _tokens.Open(i, _places[i + 1]);
            }
        }

        int steps = _tokens.Count + 1;
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
            double stays = 1 - 1 / UsualTokens;
            (_count, _sum, _squares) = (_count * stays + 1, _sum * stays + surprise, _squares * stays + (double)surprise * surprise);
        }
    }

    /// <summary>One small step a line at first, and less often later: what is well known moves slowly, and most of the cost is here.</summary>
    private void Learn(in Circumstances circumstances, PlaceScratch scratch)
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

    private static ReadOnlySpan<char> End(ReadOnlySpan<char> text) => text.Length > ShownOfTokenMax ? $"...{text[^ShownOfTokenMax..]}" : text;

    private ReadOnlySpan<char> Shown(int token) => _tokens[token] is { Length: > ShownOfTokenMax } text ? $"{text[..ShownOfTokenMax]}..." : _tokens[token];

    /// <summary>The line with what is odd of it in brackets.</summary>
    private string Marked()
    {
        float most = TensorPrimitives.Max(Surprises);
        double odd = Math.Min(most, UsualSurprise + OddDeviations * Deviation);
        var text = new StringBuilder();
        bool isOpen = false;

        int shown = 0;

        // With its brackets a line of single characters is never longer.
        for (; shown < Math.Min(_tokens.Count, ShownMax) && text.Length < 2 * ShownMax; shown++)
        {
            if (_surprises[shown] >= odd != isOpen)
            {
                text.Append(isOpen ? ']' : '[');
                isOpen = !isOpen;
            }

            text.Append(Shown(shown));
        }

        return text.Append(isOpen ? "]" : "").Append(_tokens.Count > shown ? "..." : "").ToString();
    }
}

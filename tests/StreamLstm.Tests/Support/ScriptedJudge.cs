using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Support;

/// <summary>A judge whose evidence is the observed value, or what is said to be made of it, and which writes down what it was taught.</summary>
internal sealed class ScriptedJudge : IJudge
{
    public const double Opens = 2;

    public List<Lesson> Lessons { get; } = [];

    public List<(long First, long End)> Accepted { get; } = [];

    public List<(long First, long End)> Spared { get; } = [];

    public long Rows { get; private set; }

    public (long Rows, long Needed) WarmUp => (Rows, 10);

    public bool IsLearning => Rows < 5;

    public (long Left, long Of) Rewarming => (Math.Max(0, _rewarmUntil - Rows), RewarmRows);

    public int CadenceRows => 5;

    public bool TakesAnyTime => false;

    public bool HasOwnWeights => false;

    public double Threshold => Opens;

    private long _rewarmUntil;

    /// <summary>Rows of a new beginning in which nothing alerts.</summary>
    public int RewarmRows { get; set; }

    /// <summary>The evidence of a row, by its number and value.</summary>
    public Func<long, double, double> EvidenceOf { get; set; } = (_, value) => value;

    /// <summary>What is expected of every row; null for nothing.</summary>
    public double? Expected { get; set; }

    public bool IsSettled { get; set; }

    public int StableWindows { get; set; }

    public int Indicators => 2;

    public IndicatorWords Words { get; } = new(indicator => indicator == 0 ? "first" : "second", (_, _) => "it is odd");

    public Judgement Last { get; } = new(2);

    /// <summary>What the next incidents are about.</summary>
    public int Likeness { get; set; }

    public RejectionReason? Admit(in Observation observation) => double.IsNaN(observation.Value) ? RejectionReason.BadValue : null;

    public bool IsSame(in Observation observation) => observation.Value.Equals(Last.Value);

    public void Arrive(in Arrival arrival) => _rewarmUntil = arrival.IsNewBeginning ? Rows + RewarmRows : _rewarmUntil;

    public void Pass(in Observation observation)
    {
    }

    public void Judge(in Observation observation, in Circumstances circumstances)
    {
        Last.Clear();
        Last.IsJudged = !IsLearning;
        Last.Value = observation.Value;
        Last.Actual = observation.Value;
        Last.Expected = Expected is { } expected ? (expected, expected, expected) : null;
        Last.Evidence = EvidenceOf(Rows, observation.Value);
        Last.Count = 2;
        Last.AllValues.Fill(observation.Value);
        Last.AllScores.Fill(observation.Value);
        Last.Kind = IncidentKind.Point;
        Last.Likeness = Likeness;
        Last.Side = 1;
    }

    public void Remember(Lesson lesson, in Circumstances circumstances)
    {
        Rows++;
        Lessons.Add(lesson);
    }

    public void Spare(long firstRow, long endRow) => Spared.Add((firstRow, endRow));

    public void Accept(long firstRow, long endRow) => Accepted.Add((firstRow, endRow));

    public void Ordinary(ReadOnlySpan<double> levels)
    {
    }

    public string Sentence() => $"{Figures.Of(Last.Value)} is too much";

    public Particulars Describe(ReadOnlySpan<Half> shares, string? template, bool isLast) => default;

    public void Save(BinaryWriter writer)
    {
        writer.Write(Rows);
        Last.Save(writer);
    }

    public bool Load(BinaryReader reader)
    {
        Rows = reader.ReadInt64();
        Last.Load(reader);
        return true;
    }
}

/// <summary>A stream with such a judge, an observation a minute.</summary>
internal sealed class ScriptedStream
{
    public static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly DetectionOptions _options;
    private readonly DetectionScratch _scratch = new();
    private readonly BaseModel _model = BaseModel.Untrained(1);
    private long _minute;

    public ScriptedStream(params AlertRule[] rules)
    {
        _options = new DetectionOptions { AlertRules = rules };
        (Judge, Row) = New();
        WarmUp();
    }

    public ScriptedJudge Judge { get; private set; }

    public StreamRow Row { get; private set; }

    public ShardOutput Output { get; } = new();

    public long Minute => _minute;

    public IEnumerable<IncidentEvent> Opened => Output.Incidents.Where(incident => incident.State == IncidentState.Opened);

    public IEnumerable<IncidentEvent> Closed => Output.Incidents.Where(incident => incident.State == IncidentState.Closed);

    public int Suppressed(SuppressedBy reason) => Output.Suppressed[(int)reason];

    public void Feed(params ReadOnlySpan<double> evidence)
    {
        foreach (double one in evidence)
        {
            DateTimeOffset time = Start.AddMinutes(_minute++);
            Assert.Null(Row.Take(new Observation("s", time, one), time, 60 * _minute, _model, _scratch, Output));
        }
    }

    /// <summary>So many ordinary rows.</summary>
    public void Rest(int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            Feed(row % 2 == 0 ? 0.1 : 0.2);
        }
    }

    /// <summary>Ordinary rows up to a minute since the start.</summary>
    public void RestUntil(long minute) => Rest((int)(minute - _minute));

    /// <summary>So many minutes without an observation.</summary>
    public void StayAway(int minutes) => _minute += minutes;

    /// <summary>As after a fault.</summary>
    public void BeginAgain()
    {
        Row.Abandon("over: the stream starts again after a fault in judging it", Output);
        (Judge, Row) = New();
        WarmUp();
    }

    public void Restart()
    {
        using var file = new MemoryStream();
        Row.Save(new BinaryWriter(file));
        long length = file.Length;
        file.Position = 0;
        (Judge, Row) = New();
        Assert.True(Row.Load(new BinaryReader(file), _ => throw new InvalidOperationException()));
        Assert.Equal(length, file.Position);
    }

    private void WarmUp() => Rest(10);

    private (ScriptedJudge, StreamRow) New()
    {
        var judge = new ScriptedJudge();
        return (judge, new StreamRow("s", StreamKind.Values, StreamForm.Full, judge, _options, new AlertPolicy(_options).NewGate("s"), BaseModel.Pretrained));
    }
}

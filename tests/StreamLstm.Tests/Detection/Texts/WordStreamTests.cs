using StreamLstm.Detection;
using StreamLstm.Detection.Deciding;
using StreamLstm.Detection.Judging.Events;
using StreamLstm.Detection.Judging.Texts;
using StreamLstm.Detection.Learning;

namespace StreamLstm.Tests.Detection.Texts;

public sealed class WordStreamTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private static readonly BaseModel Model = BaseModel.Untrained(1);

    private static readonly string[] Services = ["nginx", "postgresql", "redis", "grafana", "cron", "sshd"];

    private static readonly string[] Verbs = ["restart", "status", "reload", "stop"];

    private readonly ShardOutput _output = new();

    [Fact]
    public void A_line_is_cut_into_words_blanks_and_single_marks_that_together_are_the_line()
    {
        const string Line = "cp  /etc/my_app.conf\t'\u00fcber 3.5' \u0928\u0940 \U0001F600!!";
        var tokens = new WordTokens();

        tokens.Read(Line);

        string[] cut = [.. Enumerable.Range(0, tokens.Count).Select(i => tokens[i].ToString())];
        Assert.Equal(
            ["cp", "  ", "/", "etc", "/", "my_app", ".", "conf", "\t", "'", "\u00fcber", " ", "3", ".", "5", "'", " ", "\u0928\u0940", " ", "\U0001F600", "!", "!"], cut);
        Assert.Equal(Line, string.Concat(cut));
    }

    [Fact]
    public void Words_that_came_twice_have_places_until_there_are_none_left_and_what_comes_once_has_none()
    {
        DetectionShard shard = NewShard();

        Feed(shard, [.. Enumerable.Range(0, 900).Select(i => Line(i, $"{(i < 600 ? $"w{i / 2}" : $"once{i}")} end"))]);

        TextTokens tokens = ((TextJudge)shard.Rows.Single().Judge).Tokens;
        // "w0" came twice first, then the blank and "end"; 254 are all there is room for.
        Assert.Equal(254, Enumerable.Range(TextNetwork.FirstToken, 254).Count(place => tokens.NameOf((byte)place) is not null));
        tokens.Read("w0 end w251 w252 once700");
        Assert.Equal(
            [true, true, true, true, true, true, false, true, false], Enumerable.Range(0, tokens.Count).Select(token => tokens.PlaceOf(token) != TextNetwork.Other));
    }

    [Fact]
    public void The_chances_of_all_words_are_one_and_what_is_spelt_like_others_is_likelier()
    {
        var spelling = new WordSpelling();

        foreach (string word in (string[])["report", "reports", "restore", "port", "store", "export", "a", "to"])
        {
            spelling.Learn(word);
        }

        // Of no letter, of one and of two; the rest is for longer ones.
        char[] letters = [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(code => (char)code), '\u00fc'];
        double sum = Chance("") + letters.Sum(one => Chance([one])) + letters.Sum(one => letters.Sum(two => Chance([one, two])));
        Assert.InRange(sum, 0.2, 0.9);
        Assert.True(spelling.Surprise("restores") + 10 < spelling.Surprise("xq7Zk9Wv"));

        double Chance(ReadOnlySpan<char> word) => Math.Exp(-spelling.Surprise(word));
    }

    [Fact]
    public void A_word_that_is_not_known_is_found_and_so_are_known_ones_out_of_order_and_both_are_marked()
    {
        DetectionShard shard = NewShard();
        List<ScoredObservation> scored = Feed(shard, Lines(0, 3_000));
        Assert.Empty(Opened());

        ScoredObservation unknown = Feed(shard, [Line(3_000, "systemctl restart xq7Zk9Wv")])[0];
        Feed(shard, Lines(3_001, 300));
        ScoredObservation order = Feed(shard, [Line(3_301, "nginx systemctl restart")])[0];

        double usual = scored[2_500..].Average(one => one.Value);
        Assert.True(unknown.Value > 5 * usual && order.Value > 5 * usual, $"{unknown.Value}, {order.Value}, usually {usual}");
        IncidentEvent[] opened = [.. Opened()];
        Assert.Equal(2, opened.Length);
        Assert.Contains("'systemctl restart [xq7Zk9Wv]'", opened[0].Explanation, StringComparison.Ordinal);
        Assert.Contains("nats a word, usually 0.", opened[0].Explanation, StringComparison.Ordinal);
        Assert.Contains("'xq7Zk9Wv', not among the words known, after 'systemctl restart '", opened[0].Explanation, StringComparison.Ordinal);
        Assert.Contains("[nginx]", opened[1].Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_written_down_goes_on_to_the_same_bits()
    {
        DetectionShard shard = NewShard();
        Feed(shard, Lines(0, 1_200));
        Feed(shard, [Line(1_200, "systemctl restart half\ud83d")]);
        using var file = new MemoryStream();
        using (var writer = new BinaryWriter(file, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            shard.Save(writer);
        }

        DetectionShard read = NewShard();
        file.Position = 0;
        read.Load(new BinaryReader(file), Model);

        Assert.Equal(Feed(shard, Lines(1_201, 500)), Feed(read, Lines(1_201, 500)));
        Assert.Equal(StreamKind.Words, Assert.Single(read.Rows).Kind);
        Assert.Equal(Bytes(shard), Bytes(read));
    }

    [Fact]
    public void A_stream_of_words_takes_no_line_that_is_judged_by_its_characters()
    {
        DetectionShard shard = NewShard();

        Feed(shard, [Line(0, "hello"), Observation.Of("commands", Start, new TextEvent("hello") { IsCharacters = true })]);

        Assert.Single(_output.Scored);
        Assert.Equal(1, _output.Rejected[(int)RejectionReason.OtherKind]);
    }

    [Fact]
    public void One_endless_word_costs_no_more_than_its_first_characters()
    {
        DetectionShard shard = NewShard();

        List<ScoredObservation> scored = Feed(shard, [.. Enumerable.Range(0, 300).Select(i => Line(i, new string('a', 100_000)))]);

        Assert.All(scored, one => Assert.InRange(one.Value, 0, 20_000));
        Assert.Equal(2, ((TextJudge)shard.Rows.Single().Judge).Surprises.Length);
        Assert.InRange(((TextJudge)shard.Rows.Single().Judge).Sentence().Length, 1, 1_000);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lean_stream_takes_less_than_half_finds_the_same_and_goes_on_to_the_same_bits(bool words)
    {
        DetectionShard lean = NewShard(StreamForm.Lean), full = NewShard();
        Feed(full, Of(Lines(0, 50)));
        Feed(lean, Of(Lines(0, 3_000)));
        Assert.InRange(Bytes(lean).Length, 1, Bytes(full).Length / 2);

        DetectionShard read = NewShard();
        read.Load(new BinaryReader(new MemoryStream(Bytes(lean))), Model);

        Assert.Equal(Feed(lean, Of(Lines(3_000, 100))), Feed(read, Of(Lines(3_000, 100))));
        Assert.Equal(StreamForm.Lean, read.Rows.Single().Form);
        Assert.True(Feed(read, Of([Line(3_100, "systemctl restart xq7Zk9Wv")]))[0].IsAlert);

        Observation[] Of(Observation[] lines) => words ? lines : [.. lines.Select(line => line with { Event = new TextEvent(line.Event!.Text) { IsCharacters = true } })];
    }

    private static byte[] Bytes(DetectionShard shard)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        shard.Save(writer);
        return file.ToArray();
    }

    private static Observation Line(int at, string text) => Observation.Of("commands", Start.AddSeconds(at), new TextEvent(text) { IsWords = true });

    private static Observation[] Lines(int first, int count) => [.. Enumerable.Range(first, count).Select(i =>
    {
        var random = new Random(i);
        return Line(i, random.Next(3) > 0
            ? $"systemctl {Verbs[random.Next(Verbs.Length)]} {Services[random.Next(Services.Length)]}"
            : $"tail -n {random.Next(1, 5)}00 /var/log/{Services[random.Next(Services.Length)]}.log");
    })];

    private static DetectionShard NewShard(StreamForm form = StreamForm.Full) => new(
        new DetectionOptions { Form = form, Events = new EventStreamOptions { WarmUpEvents = 1_000 } }, new StreamQuota(4, 4), 0, 1, new DetectionScratch());

    private List<ScoredObservation> Feed(DetectionShard shard, Observation[] observations)
    {
        int before = _output.Scored.Count;

        foreach (Observation observation in observations)
        {
            shard.Apply([observation], observation.Time, Model, _output);
        }

        return _output.Scored[before..];
    }

    private IEnumerable<IncidentEvent> Opened() => _output.Incidents.Where(incident => incident.State == IncidentState.Opened);
}

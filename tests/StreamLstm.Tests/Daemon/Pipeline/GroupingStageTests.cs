using StreamLstm.Daemon.Pipeline;
using StreamLstm.Detection.Grouping;
using StreamLstm.Detection.Deciding;

namespace StreamLstm.Tests.Daemon.Pipeline;

public sealed class GroupingStageTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Which_worker_was_faster_does_not_matter_within_what_is_drained_at_once()
    {
        ScoredBatch[] drained = [Batch(Opened("plant/c", 2)), Batch(), Batch(Opened("plant/b", 1), Opened("plant/a", 1))];

        string[] found = [.. Permutations(drained).Select(batches =>
        {
            ScoredBatch last = new GroupingStage([]).Apply(batches)[^1];
            return string.Join(' ', last.Incidents.Select(one => $"{one.Stream} {one.GroupId} {one.GroupSize} {one.OpensGroup}"))
                + string.Join(' ', last.Groups.Select(one => $"{one.Id} {one.Revision} {one.Title}"));
        }).Distinct()];

        Assert.StartsWith("plant/a plant/a-o 1 True plant/b plant/a-o 2 False plant/c plant/a-o 3 False", Assert.Single(found), StringComparison.Ordinal);
    }

    [Fact]
    public void Incidents_come_with_the_last_batch_and_after_the_scores_of_all()
    {
        IReadOnlyList<ScoredBatch> batches = new GroupingStage([]).Apply([Batch(Opened("plant/a", 0)), Batch(Opened("plant/b", 0))]);

        Assert.Equal([0, 2], batches.Select(batch => batch.Incidents.Count));
        Assert.Equal([GroupState.Opened, GroupState.Joined], batches[1].Groups.Select(group => group.State));
    }

    [Fact]
    public async Task It_answers_with_its_state_and_goes_on_from_it()
    {
        var stage = new GroupingStage([]);
        var asked = new TaskCompletionSource<byte[]>();

        Assert.Single(stage.Apply([Batch(Opened("plant/a", 0)), Batch() with { GroupsAsked = asked }]));

        var again = new GroupingStage(await asked.Task);
        Assert.Equal("plant/a-o", Assert.Single(again.Apply([Batch(Opened("plant/b", 1))])[0].Incidents).GroupId);
        Assert.Equal(stage.Save(), await asked.Task);
    }

    private static IEnumerable<ScoredBatch[]> Permutations(ScoredBatch[] batches) =>
        batches.Length <= 1
            ? [batches]
            : batches.SelectMany((first, i) => Permutations([.. batches[..i], .. batches[(i + 1)..]]).Select(others => (ScoredBatch[])[first, .. others]));

    private static ScoredBatch Batch(params IncidentEvent[] incidents) => new([], incidents, [], Start);

    private static IncidentEvent Opened(string stream, double seconds) => new()
    {
        Id = $"{stream}-o",
        IncidentId = $"{stream}-o",
        Revision = 0,
        Stream = stream,
        State = IncidentState.Opened,
        Kind = IncidentKind.Range,
        Severity = IncidentSeverity.Warning,
        Onset = Start.AddSeconds(seconds),
        Time = Start.AddSeconds(seconds),
        Score = 75,
        MaxScore = 75,
        Actual = 9,
        Attribution = new Dictionary<string, double>(),
        Explanation = "why",
        ModelVersion = 0,
    };
}

using System.Globalization;
using Spectre.Console;

namespace StreamLstm.Benchmarks.LongMemory;

/// <summary>The measured in words: tables in Markdown, goal lines, and the page that holds them.</summary>
internal sealed class LongMemoryReport(Plan plan, LongMemoryResults results)
{
    private readonly LearningOptions _options = plan.Runs()[0].Options;

    public void Print(TextWriter output)
    {
        output.WriteLine(Learning());
        output.WriteLine();
        output.WriteLine(Gradients());
        output.WriteLine();

        foreach (Goal goal in results.Goals())
        {
            output.WriteLine(goal);
        }
    }

    public string Page() => $"""
        # Why an LSTM: what it remembers, and what a plain RNN forgets

        Measured by `dotnet run -c Release --project tests/StreamLstm.Benchmarks -- long-memory --out DIR`, which writes this page.

        **adding**: a row of numbers, two of them marked, both in its first half; after the last the network says the sum of
        the two. Always answering the mean has a mean squared error of 0.167; 0.01 is solved.
        **copy**: the first symbol of a row must be named after the last; all between them means nothing. Guessing is wrong in
        75 % of the cases; 1 % is solved. (Both after Hochreiter and Schmidhuber 1997.)

        Every network has {plan.HiddenSize} cells, starts from the same weights, sees the same batches ({_options.BatchSize} sequences), and learns with the
        same optimizer (Adam, rate {Number(_options.LearningRate)}, gradients clipped to a norm of {Number(_options.ClipNorm)}) until it has solved the problem, or for
        {string.Join(", ", plan.Lags.Select(lag => $"{lag.UpdatesMax} updates at lag {lag.Lag}"))}. The LSTM is the daemon's own.

        - *Chrono biases*: cells start with memories of one step to the whole row (Tallec and Ollivier 2018). The daemon's
          own weights start with a forget bias of 1.
        - *No ... gate*: it is fixed at 1 (weights zero, a large bias, neither learnt); the others have chrono biases.
        - *Updates until solved*: median of the seeds that solved it. *Seconds*: median of a run, one run per core, for
          orientation; the networks to compare with are plain code, so theirs say nothing about speed.

        {Learning()}

        Goals:

        {string.Join('\n', results.Goals().Select(goal => $"    {goal}"))}

        ![Learning curves](learning-curves.png)

        The gradient through time, on the adding problem at lag {plan.LongestLag}: how much of dLoss/dh after the last step arrives after
        step *t*. What hardly arrives is hard to learn from. The picture shows medians of the seeds.

        ![Gradient through time](gradient-through-time.png)

        After the first step:

        {Gradients()}

        """;

    private string Learning() => Markdown(
        ["task", "lag", "network", "seeds solved", "median error", "updates until solved", "seconds"],
        results.Rows.Select(row => (string[])
        [
            row.Problem.Name,
            Number(row.Lag),
            row.Contender.Name,
            $"{row.Solved} of {row.Seeds.Count}",
            row.MedianError.ToString("0.0000", CultureInfo.InvariantCulture),
            row.MedianUpdates is { } updates ? Number(updates) : "-",
            row.MedianSeconds.ToString("0", CultureInfo.InvariantCulture),
        ]));

    private string Gradients() => Markdown(
        ["network", "gradient left before learning", "least to most", "after learning", "least to most"],
        plan.Contenders.Select(contender => results.Row(plan.Adding, plan.LongestLag, contender)).Select(row => (string[])
        [
            row.Contender.Name,
            Share(row.MedianNorms(afterLearning: false)[0]),
            Range(row.FirstNorms(afterLearning: false)),
            Share(row.MedianNorms(afterLearning: true)[0]),
            Range(row.FirstNorms(afterLearning: true)),
        ]));

    private static string Markdown(IEnumerable<string> columns, IEnumerable<string[]> rows)
    {
        var table = new Table().Border(TableBorder.Markdown);

        foreach (string column in columns)
        {
            table.AddColumn(column);
        }

        foreach (string[] row in rows)
        {
            table.AddRow(row);
        }

        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(text),
        });
        console.Profile.Width = 200;
        console.Write(table);
        return text.ToString().Trim();
    }

    private static string Range((double Least, double Most) norms) => $"{Share(norms.Least)} to {Share(norms.Most)}";

    private static string Share(double norm) =>
        norm < LongMemoryResults.LeastNorm ? "0" : norm.ToString("0.0e0", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("G4", CultureInfo.InvariantCulture);
}

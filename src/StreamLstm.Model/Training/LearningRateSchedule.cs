namespace StreamLstm.Model.Training;

/// <summary>How long the steps of a training are: rising over a warm-up, then falling along half a cosine (Loshchilov and Hutter 2017).</summary>
/// <param name="Peak">The largest rate.</param>
/// <param name="WarmUpSteps">Steps over which it rises from 0; 0 begins at the peak.</param>
/// <param name="FallSteps">Steps over which it falls thereafter; 0 stays at the peak.</param>
/// <param name="Last">Share of the peak that is left in the end.</param>
public sealed record LearningRateSchedule(float Peak, int WarmUpSteps = 0, int FallSteps = 0, float Last = 0)
{
    /// <summary>The rate of a step, counted from 0.</summary>
    public float At(int step)
    {
        if (step < WarmUpSteps)
        {
            return Peak * (step + 1) / WarmUpSteps;
        }

        double done = FallSteps == 0 ? 0 : Math.Min(1, (step - WarmUpSteps) / (double)FallSteps);
        return (float)(Peak * (Last + (1 - Last) * 0.5 * (1 + Math.Cos(Math.PI * done))));
    }
}
